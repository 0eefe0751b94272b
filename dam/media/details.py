"""The part of a file's metadata that is shown as it is: exposure, rights, take, identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dam.media.source_timecode import source_timecode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dam.media.fields import Fields

MAX_TEXT_CHARACTERS = 2_000  # longer texts belong into the caption
MAX_LISTED = 100

# Field of an asset's details → where to look for it.
TEXTS: dict[str, tuple[str, ...]] = {
    "headline": ("XMP-photoshop:Headline", "IPTC:Headline"),
    "alt_text": ("XMP-iptcCore:AltTextAccessibility",),
    "rights": ("XMP-dc:Rights", "IPTC:CopyrightNotice", "IFD0:Copyright", "*:Copyright"),
    "usage_terms": ("XMP-xmpRights:UsageTerms",),
    "credit": ("XMP-photoshop:Credit", "IPTC:Credit"),
    "source": ("XMP-photoshop:Source", "IPTC:Source"),
    "software": ("IFD0:Software", "XMP-xmp:CreatorTool", "Keys:Software", "*:Software"),
    "colour_profile": ("ICC_Profile:ProfileDescription",),
    "serial_number": ("ExifIFD:SerialNumber", "XMP-aux:SerialNumber"),
    "location": ("XMP-iptcCore:Location", "IPTC:Sub-location"),
    "city": ("XMP-photoshop:City", "IPTC:City"),
    "region": ("XMP-photoshop:State", "IPTC:Province-State"),
    "stated_country": ("XMP-photoshop:Country", "IPTC:Country-PrimaryLocationName"),
    "digital_source_type": ("XMP-iptcExt:DigitalSourceType",),
    "content_identifier": ("*:ContentIdentifier", "*:MediaGroupUUID"),  # Live Photo: still = clip
    "burst": ("*:BurstUUID", "XMP-GCamera:BurstID"),
    "motion_photo": ("XMP-GCamera:MotionPhoto", "XMP-GCamera:MicroVideo"),
    # Sound
    "artist": ("ItemList:Artist", "Keys:Artist", "*:Artist"),
    "album": ("*:Album",),
    "genre": ("*:Genre",),
    "originator": ("RIFF:Originator",),
    "originator_reference": ("RIFF:OriginatorReference",),
    "coding_history": ("RIFF:CodingHistory",),
    "time_reference": ("RIFF:TimeReference",),  # samples since midnight
    "project": ("XML:BwfxmlProject",),
    "scene": ("XML:BwfxmlScene",),
    "take": ("XML:BwfxmlTake",),
    "tape": ("XML:BwfxmlTape",),
    "note": ("XML:BwfxmlNote",),
}
LISTS: dict[str, tuple[str, ...]] = {
    "creator": ("XMP-dc:Creator", "IPTC:By-line", "IFD0:Artist", "IFD0:XPAuthor", "Keys:Author"),
    "people": ("XMP-iptcExt:PersonInImage",),
    "tracks": ("XML:BwfxmlTrackListTrackName",),
}
NUMBERS: dict[str, tuple[str, ...]] = {
    "exposure_s": ("ExifIFD:ExposureTime", "XMP-exif:ExposureTime"),
    "aperture": ("ExifIFD:FNumber", "XMP-exif:FNumber"),
    "iso": ("ExifIFD:ISO", "XMP-exif:ISO", "XMP-exif:ISOSpeedRatings", "*:ISO"),
    "focal_length_mm": ("ExifIFD:FocalLength", "XMP-exif:FocalLength"),
    "focal_length_35mm": ("ExifIFD:FocalLengthIn35mmFormat",),
    "exposure_bias_ev": ("ExifIFD:ExposureCompensation",),
    "altitude_m": ("Composite:GPSAltitude",),
    "direction_deg": ("GPS:GPSImgDirection",),
}
# What of it people search for. A slate is asked for as it is called: "scene 12A take 3".
SEARCHABLE = (
    *("headline", "alt_text", "creator", "people", "credit", "source", "rights"),
    *("artist", "album", "genre", "originator", "project", "note", "tracks"),
)
SEARCHABLE_BY_NAME = ("scene", "take", "tape")


def details_of(fields: Fields) -> dict[str, Any]:
    """JSON-safe; keys that a file says nothing about are absent."""
    details: dict[str, Any] = {}
    for key, names in TEXTS.items():
        if text := fields.text(*names):
            details[key] = text[:MAX_TEXT_CHARACTERS]
    for key, names in LISTS.items():
        if texts := fields.texts(*names):
            details[key] = [text[:MAX_TEXT_CHARACTERS] for text in texts[:MAX_LISTED]]
    for key, names in NUMBERS.items():
        number = fields.number(*names)
        if number is not None:
            details[key] = int(number) if number.is_integer() else float(f"{number:.6g}")
    flash = fields.number("ExifIFD:Flash")
    if flash is not None:
        details["flash"] = bool(int(flash) & 1)  # bit 0: it fired; the others say how it was set
    if (fields.text("XML:BwfxmlCircled") or "").lower() == "true":
        details["circled"] = True  # the take that is to be used
    return details | source_timecode(fields)


def words_of_details(details: Mapping[str, Any]) -> str:
    """What is searchable of an asset's details."""
    named = [f"{key} {details[key]}" for key in SEARCHABLE_BY_NAME if details.get(key)]
    told = [details[key] for key in SEARCHABLE if details.get(key)]
    plain = [", ".join(text) if isinstance(text, list) else str(text) for text in told]
    return ", ".join(named + plain)
