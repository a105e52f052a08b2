"""What can be measured of drawn pictures. A measure is a file here, and a line in the table."""

from lorarecipe.measures import (
    ccip_difference,
    change,
    elsewhere,
    hair_colour,
    hairstyle,
    look_3d,
    palette,
    tagged_3d,
    tagged_realistic,
    upright,
    white_border,
)
from lorarecipe.measures.measure import Drawn, Measure, Yardstick

#: by the key in records, in the order of columns
MEASURES: dict[str, Measure] = {
    measure.KEY: measure
    for measure in (
        white_border,
        look_3d,
        upright,
        palette,
        hair_colour,
        hairstyle,
        change,
        elsewhere,
        tagged_3d,
        tagged_realistic,
        ccip_difference,
    )
}

__all__ = ["MEASURES", "Drawn", "Measure", "Yardstick"]
