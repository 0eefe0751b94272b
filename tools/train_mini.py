"""Trains a small picture model from scratch on a folder of captioned pictures.

    python -m tools.train_mini PICTURES --teacher FOLDER --work FOLDER --out FOLDER --minutes 180

`PICTURES` is described in `tools.mini.pictures`, `--teacher` is any open_clip folder, `--work`
keeps everything on the way (decoded pictures, what the teacher sees, checkpoints): the same
command again goes on where it stopped, with other `--minutes` too. `--out` receives an open_clip
folder. Measure it with `python -m tools.measure_mini`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import pickle
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Waiting threads must sleep: two processes and other programs share the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from tools.mini import student, teacher
from tools.mini.alignment import Places, align
from tools.mini.crops import Crops, squeeze
from tools.mini.distil import CHECKPOINT, Lesson, distil
from tools.mini.pictures import PHOTOS, Pictures, decode
from tools.mini.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIGNED = "aligned.pt"
# Captioned training photos that no step learns from: they say how it goes. At most a tenth.
HELD_OUT = 324
LEAST_CAPTIONED = 10


@dataclass(frozen=True, slots=True)
class Options:
    work: Path
    minutes: float
    align_minutes: float
    processes: int
    batch: int
    start: Path | None  # published weights to go on from
    device: str  # as torch names it


class Held:
    """Captioned photos out of the training part, to see how well sentences find them."""

    def __init__(self, pictures: Pictures, rows: Sequence[int], texts: Texts) -> None:
        self.rows = list(rows)
        captions = [caption for at in rows for caption in pictures.photos[at].captions]
        context = student.MODEL["text_cfg"]["context_length"]
        tokens = open_clip.SimpleTokenizer(context_length=context)(captions).numpy()
        self._tokens = torch.from_numpy(texts.vocabulary.compact(tokens))
        self._own = torch.tensor(
            [k for k, at in enumerate(rows) for _ in pictures.photos[at].captions]
        )

    def recall(self, model: Any, pictures: torch.Tensor) -> str:
        """R@1/5/10, text to picture, of unit rows in the order of `rows`, which must be some."""
        with torch.inference_mode():
            said = student.read(model, self._tokens.to(pictures.device))
        scores = (said @ pictures.T).cpu()
        better = (scores > scores.gather(1, self._own[:, None])).sum(dim=1)
        return "/".join(f"{(better < k).float().mean():.3f}" for k in (1, 5, 10))


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    work: Path = asked.work
    if not (work / PHOTOS).is_file():
        count, unread = decode(asked.pictures, work)
        say(f"{count} pictures decoded, {len(unread)} unreadable")
    pictures = Pictures(work)
    if not (work / teacher.MAPS).is_file():
        say(f"looking through {asked.teacher}")
        teacher.look(pictures, asked.teacher, work, asked.device)
    options = Options(
        work=work,
        minutes=asked.minutes,
        align_minutes=asked.align_minutes,
        processes=asked.processes if asked.device == "cpu" else 1,
        batch=asked.batch,
        start=asked.start,
        device=asked.device,
    )
    if not (work / ALIGNED).is_file():
        _align(pictures, options)
    squeeze(pictures, work)
    _together(options)
    state = torch.load(work / CHECKPOINT, map_location="cpu")["student"]
    size = student.save(state, _texts(work).vocabulary, asked.out)
    say(f"{asked.out}: {size / 1e6:.2f} MB")
    return 0


def _together(options: Options) -> None:
    """Runs `_learn` in every process until all are through. Raises `RuntimeError`."""
    meeting = options.work / f"meeting-{os.getpid()}"
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_learn, args=(rank, options, meeting), daemon=True)
        for rank in range(options.processes)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    meeting.unlink(missing_ok=True)
    if any(process.exitcode for process in processes):
        raise RuntimeError("A training process failed; what it said stands above.")


def _align(pictures: Pictures, options: Options) -> None:
    rows, held = _split(pictures)
    photos = [pictures.photos[at] for at in rows]
    texts = Texts(photos, context=student.MODEL["text_cfg"]["context_length"])
    (options.work / "texts.pkl").write_bytes(pickle.dumps(texts))
    seen = teacher.Seen(options.work, rows, options.device)
    standard = seen.standard()
    features = seen.standardise(*standard).whole()
    model = student.build(len(texts.vocabulary))
    if options.start:
        student.resume(model, texts.vocabulary, options.start)
    model.to(options.device)
    unseen = teacher.Seen(options.work, held, options.device).standardise(*standard).whole()
    asking = Held(pictures, held, texts)

    def check(model: Any, places: Places) -> str:
        places.eval()
        with torch.inference_mode():
            found = asking.recall(model, places(unseen))
        places.train()
        return f"held out {found}"

    places = align(
        texts,
        model,
        features,
        photos,
        minutes=options.align_minutes,
        say=say,
        check=check,
    )
    torch.save(
        {
            "model": model.state_dict(),
            "places": places.state_dict(),
            "standard": standard,
            "rows": rows,
            "held": held,
        },
        options.work / ALIGNED,
    )


def _learn(rank: int, options: Options, meeting: Path) -> None:
    pictures, texts = Pictures(options.work), _texts(options.work)
    known = torch.load(options.work / ALIGNED, map_location="cpu")
    rows = known["rows"]
    seen = teacher.Seen(options.work, rows, options.device)
    seen.standardise(*(each.to(options.device) for each in known["standard"]))
    model = student.build(len(texts.vocabulary))
    model.load_state_dict(known["model"])
    model.to(options.device)
    places = Places(seen.width, model.text_projection.shape[1])
    places.load_state_dict(known["places"])
    places.to(options.device)
    held = Held(pictures, known["held"], texts)

    def check(state: dict[str, torch.Tensor]) -> str:
        mean = student.build(len(texts.vocabulary)).eval()
        mean.load_state_dict({name: tensor.cpu() for name, tensor in state.items()})
        return ", ".join(
            f"{edge} px {held.recall(mean, see(mean, pictures, held.rows, edge))}"
            for edge in (96, 112)
        )

    distil(
        Lesson(
            photos=[pictures.photos[at] for at in rows],
            crops=Crops(pictures, rows, options.work, options.device),
            texts=texts,
            seen=seen,
        ),
        model,
        places,
        rank=rank,
        processes=options.processes,
        meeting=meeting,
        out=options.work,
        minutes=options.minutes,
        batch=options.batch,
        say=say,
        check=check,
    )


def see(model: Any, pictures: Pictures, rows: Sequence[int], edge: int) -> torch.Tensor:
    """(n, dim) unit rows, prepared as open_clip prepares them."""
    prepare = image_transform_v2(
        PreprocessCfg(**{**student.PREPROCESS, "size": edge}), is_train=False
    )
    found = []
    with torch.inference_mode():
        for at in range(0, len(rows), 64):
            images = [prepare(Image.fromarray(pictures[row])) for row in rows[at : at + 64]]
            found.append(model.encode_image(torch.stack(images), normalize=True))
    return torch.cat(found)


def _split(pictures: Pictures) -> tuple[list[int], list[int]]:
    train = pictures.of("train")
    captioned = [at for at in train if pictures.photos[at].captions]
    if len(captioned) < LEAST_CAPTIONED:
        raise ValueError(
            f"{len(captioned)} photos of the split `train` have captions; "
            f"{LEAST_CAPTIONED} are the least that anything can be learned from."
        )
    count = min(HELD_OUT, len(captioned) // 10)
    held = set(np.random.default_rng(7).choice(captioned, count, replace=False).tolist())
    return [at for at in train if at not in held], sorted(held)


def _texts(work: Path) -> Texts:
    """Our own file of this run."""
    texts: Texts = pickle.loads((work / "texts.pkl").read_bytes())
    return texts


def say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train_mini", description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--teacher", type=Path, required=True, help="an open_clip folder")
    parser.add_argument("--work", type=Path, required=True, help="what is kept on the way")
    parser.add_argument("--out", type=Path, required=True, help="where the student is saved")
    parser.add_argument("--minutes", type=float, default=180, help="for the image tower, in all")
    parser.add_argument("--align-minutes", type=float, default=2, help="for the text tower alone")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--batch", type=int, default=64, help="photos a step and process")
    parser.add_argument("--device", default="cpu", help="as torch names it: cpu, cuda")
    parser.add_argument("--start", type=Path, help="an open_clip folder to go on from")
    return parser


if __name__ == "__main__":
    sys.exit(main())
