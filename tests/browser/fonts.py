"""Make the two font files of the admin: `python -m tests.browser.fonts INTER`, with fonttools and brotli installed.

INTER is the variable font of the typeface, `InterVariable.woff2`. The icons are those that
`crm_project/staff/icons.txt` names, one a line, of the theme's file.
"""

import sys
from pathlib import Path
from typing import Any

from crm_project.environment import BASE_DIR

FONTS = BASE_DIR / "crm_project" / "staff" / "static" / "staff" / "fonts"
ICONS = BASE_DIR / "crm_project" / "staff" / "icons.txt"
# Latin with its extensions, punctuation, currencies, arrows and comparisons.
RANGES = (
    *((0x20, 0x7E), (0xA0, 0x17F), (0x218, 0x21B), (0x2C6, 0x2DC), (0x1E9E, 0x1E9E), (0x2010, 0x203A)),
    *(
        (0x2044, 0x2044),
        (0x20A0, 0x20BF),
        (0x2116, 0x2122),
        (0x2190, 0x2193),
        (0x2212, 0x2215),
        (0x2260, 0x2265),
    ),
)


def names() -> list[str]:
    return ICONS.read_text().split()


def make_typeface(source: Path) -> None:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    font = TTFont(source)
    options = Options(layout_features=["kern", "tnum", "ccmp", "locl", "mark", "mkmk"])
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[code for low, high in RANGES for code in range(low, high + 1)])
    subsetter.subset(font)
    _save(instantiateVariableFont(font, {"opsz": 14, "wght": (400, 700)}), FONTS / "Inter.woff2")


def make_icons(source: Path) -> None:
    """The letters, the named icons, and the ligatures that make one of the other."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(source)
    icons = _glyphs(font)
    missing = [name for name in names() if name not in icons]
    if missing:
        raise SystemExit(f"The theme's file has no {', '.join(missing)}.")
    letters = {letter for name in names() for letter in name}
    # The closure of the letters over the ligatures is every icon.
    subsetter = Subsetter(Options(layout_closure=False, layout_features=["*"], glyph_names=False))
    subsetter.populate(unicodes=map(ord, letters), glyphs=[icons[name] for name in names()])
    subsetter.subset(font)
    _save(font, FONTS / "Icons.woff2")


def _glyphs(font: Any) -> dict[str, str]:
    """The glyph of each icon by its name, from the ligatures."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found: dict[str, str] = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, ligatures in getattr(table, "ligatures", {}).items():
                for one in ligatures:
                    found["".join(letters[part] for part in (first, *one.Component))] = one.LigGlyph
    return found


def _save(font: Any, path: Path) -> None:
    font.flavor = "woff2"
    font.save(path)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    import unfold

    theme = Path(unfold.__file__).parent / "static" / "unfold" / "fonts"
    make_typeface(Path(sys.argv[1]))
    make_icons(theme / "material-symbols" / "Material-Symbols-Outlined.woff2")
