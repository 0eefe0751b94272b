"""Names of the Universal Category System."""

from __future__ import annotations

import pytest

from dam.media.ucs import UcsName, ucs_name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "AMBUrbn_City Square Noon_JD_WALK_wide.wav",
            UcsName("AMBUrbn", "ambience", None, "City Square Noon", "JD", "WALK"),
        ),
        (
            "DOORWood-INT_Slam, hard_JD_HOUSE.flac",
            UcsName("DOORWood", "doors", "INT", "Slam, hard", "JD", "HOUSE"),
        ),
        ("COMTv_Zap_A_B.mp3", UcsName("COMTv", "communications", None, "Zap", "A", "B")),
        ("RAIN_Roof_A_B.wav", UcsName("RAIN", "rain", None, "Roof", "A", "B")),
    ],
)
def test_a_name_is_taken_apart(name: str, said: UcsName) -> None:
    assert ucs_name(name) == said


@pytest.mark.parametrize(
    "name",
    [
        *("IMG_2041_a_b.wav", "AMBUrbn_City.wav", "AMBUrbn__JD_X.wav", "Take_1_2_3.wav", "a.wav"),
        *("MIX_final_2_b.wav", "XYZAbc_one_two_three.wav", "AMB_City_JD_X.wav", "AMBUrbn", ""),
    ],
)
def test_any_other_name_says_nothing(name: str) -> None:
    assert ucs_name(name) is None
