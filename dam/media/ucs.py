"""File names of the Universal Category System: `CatID_FXName_CreatorID_SourceID`, then anything.

universalcategorysystem.com. A CatID is a category in capitals and a subcategory (`AMBUrbn`); its
own words for the 750 subcategories are not known here, and of the archive's one-word CatIDs (`MIX`,
`TEST`) none counts: they begin the names of too many other files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CATEGORIES = {
    **{"AERO": "aircraft", "AIR": "air", "ALRM": "alarms", "AMB": "ambience", "ANML": "animals"},
    **{"BEEP": "beeps", "BELL": "bells", "BIRD": "birds", "BLLT": "bullets", "BOAT": "boats"},
    **{"CERM": "ceramics", "CHAIN": "chains", "CHEM": "chemicals", "CLOCK": "clocks"},
    **{"CLOTH": "cloth", "CMPT": "computers", "COM": "communications", "CREA": "creatures"},
    **{"CRWD": "crowds", "DESTR": "destruction", "DIRT": "dirt & sand", "DOOR": "doors"},
    **{"DRWR": "drawers", "DSGN": "designed", "ELEC": "electricity", "EQUIP": "equipment"},
    **{"EXPL": "explosions", "FART": "farts", "FEET": "footsteps", "FGHT": "fight"},
    **{"FIRE": "fire", "FOLY": "foley", "FOOD": "food & drink", "FRWK": "fireworks"},
    **{"GAME": "games", "GEO": "geothermal", "GLAS": "glass", "GORE": "gore", "GUN": "guns"},
    **{"HMN": "human", "HORN": "horns", "ICE": "ice", "LASR": "lasers", "LETHR": "leather"},
    **{"LIQ": "liquid & mud", "MACH": "machines", "MAG": "magic", "MECH": "mechanical"},
    **{"METL": "metal", "MOTR": "motors", "MOVE": "movement", "MUSC": "musical"},
    **{"NATD": "natural disaster", "OBJ": "objects", "PAPR": "paper", "PLAS": "plastic"},
    **{"RAIN": "rain", "ROBT": "robots", "ROCK": "rocks", "ROPE": "rope", "RUBR": "rubber"},
    **{"SCI": "scifi", "SNOW": "snow", "SPRT": "sports", "TOOL": "tools", "TOON": "cartoon"},
    **{"TOY": "toys", "TRN": "trains", "UI": "user interface", "VEGE": "vegetation"},
    **{"VEH": "vehicles", "VOX": "voices", "WATR": "water", "WEAP": "weapons"},
    **{"WHST": "whistles", "WIND": "wind", "WING": "wings", "WNDW": "windows", "WOOD": "wood"},
}
# CatIDs without a subcategory of their own.
WHOLE = {
    **{"BEEP": "beeps", "HAIL": "weather hail", "RAIN": "rain", "STORM": "weather storm"},
    **{"SWSH": "swooshes swish", "THUN": "weather thunder", "WHSH": "swooshes whoosh"},
    **{"WIND": "wind", "WTHR": "weather"},
}
_CAT_ID = re.compile(r"(?P<category>[A-Z]{2,5})(?P<below>[A-Z][a-z]+)?(?:-(?P<user>[^\W_]+))?")


@dataclass(frozen=True, slots=True)
class UcsName:
    cat_id: str  # AMBUrbn
    category: str  # in words: ambience
    user_category: str | None  # what somebody adds to it with a hyphen: DOORWood-INT
    fx_name: str  # what it is: City Square Noon
    creator: str  # who made it, in short
    source: str  # its show or library, in short


def ucs_name(name: str) -> UcsName | None:
    """What the name of a file says; None for any other name."""
    blocks = [block.strip() for block in name.rpartition(".")[0].split("_")]
    found = _CAT_ID.fullmatch(blocks[0])
    if found is None or len(blocks) < 4 or not all(blocks[1:4]):
        return None
    known = CATEGORIES if found["below"] else WHOLE
    category = known.get(found["category"])
    if category is None:
        return None
    cat_id = found["category"] + (found["below"] or "")
    return UcsName(cat_id, category, found["user"], *blocks[1:4])
