"""Which files are media at all, by the ends of their names, and which decoders may open them.

A name only decides whether a scan looks at a file and which decoder tries first: what the file is,
its bytes say. Imports no decoder, so that a scan stays light.
"""

from __future__ import annotations

from pathlib import PurePath

from dam.contracts import Kind

# Formats of Pillow; HEIF joins them when pillow-heif is loaded, and MPO comes with JPEG. Not in it:
# EPS and WMF (an interpreter runs), the stubs that decode nothing (BUFR, GRIB, HDF5, MPEG) and the
# metadata container IPTC.
PICTURE_FORMATS = (
    *("JPEG", "PNG", "AVIF", "WEBP", "TIFF", "GIF", "BMP", "DIB", "JPEG2000"),
    *("PPM", "PSD", "QOI", "TGA", "ICO", "ICNS", "CUR", "DDS", "FITS", "PCX", "DCX", "SGI"),
    *("SUN", "XBM", "XPM", "MSP", "PIXAR", "FLI", "FTEX", "BLP", "GBR", "IM", "PCD", "SPIDER"),
    *("MCIDAS", "IMT", "XVTHUMB"),
)
# These have no signature: their parsers would take a text for a picture, so the name must say it.
UNSIGNED_FORMATS = {
    ".tga": "TGA",
    ".icb": "TGA",
    ".vda": "TGA",
    ".vst": "TGA",
    ".im": "IM",
    ".pcd": "PCD",
    ".spi": "SPIDER",
    ".imt": "IMT",
}
_UNSIGNED = frozenset(UNSIGNED_FORMATS.values())
SIGNED_FORMATS = tuple(name for name in PICTURE_FORMATS if name not in _UNSIGNED)

# FFmpeg demuxers that read one file and nothing but that file. Playlists (hls, dash, concat, sdp,
# image2 …) could name other files or hosts and are never chosen.
DEMUXERS = (
    *("mov", "matroska", "avi", "mxf", "mpegts", "mpeg", "flv", "asf", "ogg", "rm", "gxf", "nut"),
    *("dv", "ivf", "h264", "hevc", "m4v", "mpegvideo", "obu", "av1", "mjpeg", "dirac", "nsv"),
    *("wav", "w64", "aiff", "flac", "mp3", "aac", "ac3", "eac3", "amr", "caf", "au", "ape", "wv"),
    *("tta", "tak", "dsf", "dts", "dtshd", "truehd", "mpc", "mpc8", "voc", "shn", "loas"),
)
# The part of them whose signature is beyond doubt: a file by another kind of name is read only
# through one of these, since FFmpeg's guessing takes many a text for MP3.
SIGNED_DEMUXERS = ("mov", "matroska", "avi", "mxf", "flv", "asf", "ogg", "wav", "aiff", "flac")


def _suffixes(listed: str) -> frozenset[str]:
    return frozenset("." + suffix for suffix in listed.split())


RAW_SUFFIXES = _suffixes(
    "3fr ari arw bay cap cr2 cr3 crw dcr dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf pef "
    "ptx raf raw rw2 rwl sr2 srf srw x3f"
)
PHOTO_SUFFIXES = RAW_SUFFIXES | _suffixes(
    "jpg jpeg jpe jfif png apng heic heif hif avif avifs webp tif tiff gif bmp dib jp2 j2k jpc jpf "
    "jpx j2c ppm pgm pbm pnm pfm psd qoi tga icb vda vst ico icns cur dds fit fits pcx dcx sgi rgb "
    "rgba bw ras xbm xpm msp pxr mpo pcd"
)
VIDEO_SUFFIXES = _suffixes(
    "mp4 m4v mov qt mkv webm avi mxf mpg mpeg mpe m1v m2v ts mts m2ts m2t vob flv f4v wmv asf ogv "
    "3gp 3g2 rm rmvb gxf dv nut ivf divx h264 264 h265 265 hevc"
)
AUDIO_SUFFIXES = _suffixes(
    "wav wave bwf rf64 w64 mp3 mp2 m4a m4b aac flac ogg oga opus aiff aif aifc wma ac3 eac3 amr "
    "caf au snd ape wv tta tak dsf mka weba mpc voc"
)


def kind_of_suffix(name: str | PurePath) -> Kind | None:
    """What a file of this name should be, or None where it is no media at all."""
    suffix = PurePath(name).suffix.lower()
    if suffix in PHOTO_SUFFIXES:
        return Kind.PHOTO
    if suffix in VIDEO_SUFFIXES:
        return Kind.VIDEO
    return Kind.AUDIO if suffix in AUDIO_SUFFIXES else None
