"""What the library can do, and what QGIS calls it.

`algorithms.json` is the library's own description, frozen with the plugin, so that the toolbox is whole also where the
library is missing. Names of parameters are those that scripts for rvt-qgis use, where it has them."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent
CATALOG = json.loads((FOLDER / "algorithms.json").read_text(encoding="utf-8"))
OPERATIONS = {operation["id"]: operation for operation in CATALOG["operations"]}
PRESETS = {preset["name"]: preset for preset in CATALOG["presets"]}
TERRAINS = {terrain["name"]: terrain for terrain in CATALOG["terrains"]}
BLEND_MODES = CATALOG["blend_modes"]
OPTIONS = {option["name"]: option for option in CATALOG["options"]}
#: What an option does, and what counts when it is not given.
OPTION_HELP = {name: option["help"].partition(" [default: ")[0] for name, option in OPTIONS.items()}
OPTION_DEFAULT = {name: option["help"].partition(" [default: ")[2].rstrip("]") for name, option in OPTIONS.items()}
STACK = CATALOG["stack"]
STACK_COMMANDS = {command["name"]: command for command in STACK["commands"]}
STACK_OPTIONS = {option["name"]: option for option in STACK["options"]}

#: Algorithms whose name is not simply that of the operation.
ALGORITHM_NAMES = {
    "multi_hillshade": "multihillshade",
    "local_relief": "slrm",
    "multi_scale_relief": "msrm",
    "multi_scale_topographic_position": "mstp",
    "sky_view_factor": "skyviewfactor",
    "anisotropic_sky_view_factor": "anisotropicsvf",
}

#: Names in QGIS by the library's names.
PARAMETER_NAMES = {
    "vertical_exaggeration": "VE_FACTOR",
    "azimuth": "SUN_AZIMUTH",
    "elevation": "SUN_ELEVATION",
    "directions": "NUM_DIRECTIONS",
    "noise": "NOISE_REMOVE",
    "anisotropy": "ANISOTROPY_LVL",
    "form": "OUTPUT_MODE",
    "model": "SKY_MODEL",
    "local_min": "LOCAL_SCALE_MIN",
    "local_max": "LOCAL_SCALE_MAX",
    "local_step": "LOCAL_SCALE_STEP",
    "meso_min": "MESO_SCALE_MIN",
    "meso_max": "MESO_SCALE_MAX",
    "meso_step": "MESO_SCALE_STEP",
    "broad_min": "BROAD_SCALE_MIN",
    "broad_max": "BROAD_SCALE_MAX",
    "broad_step": "BROAD_SCALE_STEP",
    "angular_step": "ANGULAR_RES",
    "observer_height": "OBSERVER_H",
}

#: The same for single operations.
OWN_PARAMETER_NAMES = {
    ("anisotropic_sky_view_factor", "azimuth"): "ANISOTROPY_DIR",
    ("horizon_angle", "azimuth"): "AZIMUTH",
    ("local_dominance", "radius_min"): "MIN_RADIUS",
    ("local_dominance", "radius_max"): "MAX_RADIUS",
    ("local_dominance", "radius_step"): "RAD_INC",
    ("sky_illumination", "radius"): "SHADOW_DIST",
}

#: Words of a choice in the order in which rvt-qgis numbers them.
CHOICES = {("slope", "unit"): ["degree", "radian", "percent"]}

#: Presets in the order in which rvt-qgis numbers them; its own three go first.
RVT_PRESETS = ["vat", "prismatic-openness", "city"]
PRESET_ORDER = RVT_PRESETS + [name for name in PRESETS if name not in RVT_PRESETS]

#: Everything that can be shown, by the name the library knows: operations, then presets.
PICTURES = {**{name: item["title"] for name, item in OPERATIONS.items() if name != "fill_nodata"},
            **{name: item["title"] for name, item in PRESETS.items()}}


def words(option: str) -> list[str]:
    """Words of which an option of a run takes one; the first is the default."""
    return OPTIONS[option]["allowed"].split(", ")


def choices(operation: str, parameter: str) -> list[str]:
    """Words of which a parameter of an operation takes one."""
    return next(item["choices"] for item in OPERATIONS[operation]["parameters"] if item["name"] == parameter)


def full_help(option: str) -> str:
    """What an option of a run does, with its default in the same sentence."""
    return f"{OPTION_HELP[option]}; by default: {OPTION_DEFAULT[option]}."


def algorithm_name(operation: str) -> str:
    """Name of an operation's algorithm: small letters and digits."""
    return ALGORITHM_NAMES.get(operation, operation.replace("_", ""))


def parameter_name(operation: str, parameter: str) -> str:
    """Name of a parameter in QGIS."""
    own = OWN_PARAMETER_NAMES.get((operation, parameter))
    return own or PARAMETER_NAMES.get(parameter, parameter.upper())


def title(name: str) -> str:
    """`angular_step` as people read it."""
    return name.replace("_", " ").capitalize()
