/** Where a picture lies on the stage. Lengths are CSS pixels unless they say "picture pixels". */

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** A view closer or farther than fitted; the fitted one is null, for it follows the stage. */
export interface View {
  /** CSS pixels for each picture pixel. */
  scale: number;
  /** What lies in the middle of the stage, as shares of the picture: it holds for the next one too. */
  centre: Point;
}

/** Closer than this a person sees nothing more: each pixel is a tile. */
const CLOSEST = 8;
/** A fitted picture as large as this share of its own size counts as shown at its own size. */
const SAME = 0.02;

export function fittedScale(picture: Size, stage: Size): number {
  return Math.min(stage.width / picture.width, stage.height / picture.height);
}

/** Left and top of the picture, which is centred where it is smaller than the stage. */
export function placeOf(view: View | null, picture: Size, stage: Size): Point & Size {
  const scale = view?.scale ?? fittedScale(picture, stage);
  const width = picture.width * scale;
  const height = picture.height * scale;
  const centre = view?.centre ?? { x: 0.5, y: 0.5 };
  return {
    x: inside(stage.width / 2 - centre.x * width, width, stage.width),
    y: inside(stage.height / 2 - centre.y * height, height, stage.height),
    width,
    height,
  };
}

/** Shows `scale`, with the point of the picture that lies at `at` staying there; null when fitted. */
export function zoomedTo(
  scale: number,
  at: Point,
  view: View | null,
  picture: Size,
  stage: Size,
  actual: number,
): View | null {
  const fitted = fittedScale(picture, stage);
  const smallest = Math.min(fitted, actual);
  const wanted = Math.min(Math.max(scale, smallest), Math.max(CLOSEST * actual, fitted));
  // Zooming out ends at the fitted view, unless that is larger than the picture's own pixels.
  if (isClose(wanted, fitted)) return null;
  const place = placeOf(view, picture, stage);
  const share = { x: (at.x - place.x) / place.width, y: (at.y - place.y) / place.height };
  return settled(
    {
      scale: wanted,
      centre: {
        x: share.x + (stage.width / 2 - at.x) / (picture.width * wanted),
        y: share.y + (stage.height / 2 - at.y) / (picture.height * wanted),
      },
    },
    picture,
    stage,
  );
}

/** Moves the picture under the stage; it never leaves it. */
export function panned(view: View, by: Point, picture: Size, stage: Size): View {
  const { width, height } = placeOf(view, picture, stage);
  const centre = { x: view.centre.x - by.x / width, y: view.centre.y - by.y / height };
  return settled({ ...view, centre }, picture, stage);
}

/** The scale to which a double click goes from the fitted view: the picture's own pixels. */
export function closeScale(picture: Size, stage: Size, actual: number): number {
  return isClose(fittedScale(picture, stage), actual) ? 2 * actual : actual;
}

function isClose(scale: number, other: number): boolean {
  return Math.abs(scale / other - 1) < SAME;
}

/** The centre that is really shown, so that a drag back begins to move at once. */
function settled(view: View, picture: Size, stage: Size): View {
  const { x, y, width, height } = placeOf(view, picture, stage);
  const centre = { x: (stage.width / 2 - x) / width, y: (stage.height / 2 - y) / height };
  return { ...view, centre };
}

function inside(start: number, length: number, room: number): number {
  if (length <= room) return (room - length) / 2;
  return Math.min(0, Math.max(room - length, start));
}
