"""Which pictures the sample library holds: where they lie, who made them, under what licence.

Only pictures that ship inside the wheels of scikit-image and scikit-learn, and whose licence is
stated there (skimage.data docstrings, sklearn/datasets/images/README.txt) or by those who made
them. No fact about a picture is made up: one without a known date or place carries none.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_SKIMAGE = "skimage.data"
_SKLEARN = "sklearn.datasets.images"
# Its makers put it into words of their own (vision.middlebury.edu/stereo/data); scikit-image, which
# ships the picture, names them and their paper but no licence.
MIDDLEBURY = "may be used and published, its makers ask to be cited"


@dataclass(frozen=True, slots=True)
class Picture:
    package: str
    source: str  # file name inside the package
    path: str  # where it lies in the sample library
    caption: str
    creator: str
    licence: str
    taken: str | None = None  # EXIF form, local time
    offset: str | None = None  # EXIF form
    place: tuple[float, float] | None = None  # latitude, longitude

    def locate(self) -> Traversable:
        return files(self.package) / self.source


PICTURES = (
    Picture(
        _SKIMAGE,
        "chelsea.png",
        "animals/chelsea-the-cat.jpg",
        "Chelsea the cat",
        "Stéfan van der Walt",
        "CC0 1.0",
    ),
    Picture(
        _SKIMAGE,
        "horse.png",
        "animals/horse-silhouette.png",
        "Black and white silhouette of a horse",
        "Andreas Preuss",
        "CC0 1.0",
    ),
    Picture(
        _SKIMAGE,
        "coffee.png",
        "food/coffee-cup.jpg",
        "A cup of coffee on a wooden table",
        "Rachel Michetti, courtesy of Pikolo Espresso Bar",
        "CC0 1.0",
    ),
    Picture(
        _SKLEARN,
        "flower.jpg",
        "nature/flower.jpg",
        "A flower",
        "vultilion (flickr.com/photos/vultilion)",
        "CC BY 2.0",
    ),
    Picture(
        _SKIMAGE,
        "grass.png",
        "nature/grass.jpg",
        "Some grass",
        "linolafett (deviantart.com/linolafett)",
        "CC0 1.0",
    ),
    Picture(
        _SKIMAGE,
        "gravel.png",
        "nature/gravel.jpg",
        "Gravel on the ground",
        "CC0Textures (Gravel04)",
        "CC0 1.0",
    ),
    Picture(
        _SKIMAGE,
        "astronaut.png",
        "people/astronaut-eileen-collins.jpg",
        "Portrait of Eileen Collins, an American astronaut",
        "NASA",
        "public domain",
    ),
    Picture(
        _SKIMAGE,
        "camera.png",
        "people/man-with-a-camera.jpg",
        "A man with a camera on a tripod",
        "Lav Varshney",
        "CC0 1.0",
    ),
    Picture(
        _SKLEARN,
        "china.jpg",
        "places/china-temple.jpg",
        "A temple in China",
        "danielbuechele (flickr.com/photos/danielbuechele)",
        "CC BY 2.0",
    ),
    Picture(
        _SKIMAGE,
        "brick.png",
        "places/brick-wall.jpg",
        "A brick wall",
        "CC0Textures (Bricks25)",
        "CC0 1.0",
    ),
    Picture(
        _SKIMAGE,
        "rocket.jpg",
        "space/rocket-launch.jpg",
        "Launch of a Falcon 9 rocket that carries DSCOVR, Cape Canaveral",
        "SpaceX",
        "public domain",
        taken="2015:02:11 18:03:00",
        offset="-05:00",
        place=(28.5619, -80.5774),  # Space Launch Complex 40
    ),
    Picture(
        _SKIMAGE,
        "hubble_deep_field.jpg",
        "space/hubble-extreme-deep-field.jpg",
        "Hubble eXtreme Deep Field, the telescope's farthest view of the universe",
        "NASA, ESA",
        "public domain",
    ),
    Picture(
        _SKIMAGE,
        "coins.png",
        "things/greek-coins-from-pompeii.jpg",
        "Greek coins from Pompeii",
        "Brooklyn Museum Collection",
        "no known copyright restrictions",
    ),
    Picture(
        _SKIMAGE,
        "motorcycle_left.png",
        "things/motorcycle.jpg",
        "A red motorcycle in a garage",
        "Scharstein et al., Middlebury 2014 stereo datasets (GCPR 2014)",
        MIDDLEBURY,
    ),
    Picture(
        _SKIMAGE,
        "clock_motion.png",
        "things/wall-clock-motion-blur.jpg",
        "A wall clock, blurred because the camera moved",
        "Stéfan van der Walt",
        "public domain",
    ),
    Picture(
        _SKIMAGE,
        "retina.jpg",
        "medicine/human-retina.jpg",
        "Photograph of a human retina, the normal left eye",
        "Mikael Häggström",
        "CC0 1.0",
    ),
)


# Searches that `make demo` shows, with the picture that each of them asks for.
SHOWN = {
    "a cat": "animals/chelsea-the-cat.jpg",
    "a cup of coffee": "food/coffee-cup.jpg",
    "a motorcycle": "things/motorcycle.jpg",
    "a flower": "nature/flower.jpg",
}


@dataclass(frozen=True, slots=True)
class Shot:
    source: str  # `Picture.path` of what it shows
    seconds: int
    zoom: tuple[float, float]  # at its first and last frame; 1 shows the whole width
    pan: tuple[float, float]  # where the window stands, 0 = left/top … 1 = right/bottom


@dataclass(frozen=True, slots=True)
class Clip:
    path: str
    title: str
    shots: tuple[Shot, ...]


CLIPS = (
    Clip(
        "clips/at-home.mp4",
        "At home",
        (
            Shot("food/coffee-cup.jpg", 4, (1.0, 1.3), (0.5, 0.5)),
            Shot("animals/chelsea-the-cat.jpg", 5, (1.5, 1.2), (0.2, 0.7)),
            Shot("nature/flower.jpg", 4, (1.2, 1.2), (0.0, 1.0)),
        ),
    ),
    Clip(
        "clips/spaceflight.mp4",
        "Spaceflight",
        (
            Shot("people/astronaut-eileen-collins.jpg", 4, (1.0, 1.3), (0.3, 0.3)),
            Shot("space/rocket-launch.jpg", 5, (1.1, 1.4), (0.5, 0.8)),
            Shot("space/hubble-extreme-deep-field.jpg", 4, (1.0, 1.6), (0.5, 0.5)),
        ),
    ),
    Clip(
        "clips/travels.mp4",
        "Travels",
        (
            Shot("places/china-temple.jpg", 5, (1.3, 1.3), (0.0, 1.0)),
            Shot("places/brick-wall.jpg", 3, (1.0, 1.4), (0.5, 0.5)),
            Shot("things/greek-coins-from-pompeii.jpg", 5, (1.2, 1.0), (0.4, 0.6)),
        ),
    ),
)
