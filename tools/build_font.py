"""Cut the charts' typeface out of Noto Sans CJK.

    python tools/build_font.py NotoSansCJK-Regular.ttc NotoSansCJK-Bold.ttc

The collections come from https://github.com/notofonts/noto-cjk (Debian: fonts-noto-cjk).
Needs fontTools, which the running bot does not. The result is committed; run this only
to widen the set of characters.

Regular carries what a reader of Traditional Chinese writes every day (Big5 level 1, 5,401
characters) beside Latin and punctuation; Bold carries Latin and punctuation only, because
the figures are what is set in bold and a second set of ideographs would double the size.
A modified font under the SIL Open Font License may carry another name, so it does: nobody
should take this subset for the whole of Noto.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

FONTS = Path(__file__).resolve().parent.parent / "analysis" / "charts" / "fonts"
FACE = "Noto Sans CJK TC"
# The Korean face of the same collection sets these as Western text does, not a full em wide.
WESTERN_FACE, WESTERN = "Noto Sans CJK KR", "·‘’“”•"  # noqa: RUF001
FAMILY = "Leadline Sans TC"
LAST_OF_LEVEL_1 = 0xC67E
SHAPES = "–—‘’“”…·•−×÷±≈≠≤≥←↑→↓▲▼△▽◆◇●○■□✓€£¥"  # noqa: RUF001 (typographic on purpose)


def latin() -> set[int]:
    """ASCII, Latin-1 and Latin Extended-A, with the punctuation and shapes of charts."""
    return {*range(0x20, 0x7F), *range(0xA0, 0x180), *map(ord, SHAPES)}


def big5_level_1() -> set[int]:
    """The symbols (A1-A3) and the frequently used characters (A440-C67E) of Big5."""
    found: set[int] = set()
    for lead in range(0xA1, 0xC7):
        for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
            if lead << 8 | trail <= LAST_OF_LEVEL_1:
                found.update(map(ord, bytes([lead, trail]).decode("big5", errors="ignore")))
    return found


def cut(collection: Path, characters: set[int], style: str) -> Path:
    """Write one weight of the typeface, named anew, and return where."""
    faces = {str(face["name"].getDebugName(1)): face for face in TTCollection(collection).fonts}
    font, western = faces[FACE], faces[WESTERN_FACE].getBestCmap()
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap.update({ord(c): western[ord(c)] for c in WESTERN})
    options = subset.Options()
    # FreeType hints by itself at the sizes we set; vertical setting is never used.
    options.hinting = False
    options.layout_features = ["kern"]
    options.drop_tables += ["BASE", "DSIG", "VORG", "vhea", "vmtx"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    rename(font, style)
    path = FONTS / f"{FAMILY.replace(' ', '')}-{style}.otf"
    font.recalcTimestamp = False
    font.save(path)
    return path


def rename(font: TTFont, style: str) -> None:
    """Keep copyright and licence, replace every name the font goes by."""
    postscript = f"{FAMILY.replace(' ', '')}-{style}"
    version = str(font["name"].getDebugName(5)).split(";")[0]
    for number, text in {
        1: FAMILY,
        2: style,
        3: f"{version};{postscript}",
        4: f"{FAMILY} {style}",
        5: f"{version}; subset of {FACE}",
        6: postscript,
    }.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font["name"].names = [n for n in font["name"].names if (n.platformID, n.langID) == (3, 0x409)]
    top = font["CFF "].cff
    top.fontNames = [postscript]
    top[0].FullName, top[0].FamilyName = f"{FAMILY} {style}", FAMILY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("regular", type=Path)
    parser.add_argument("bold", type=Path)
    chosen = parser.parse_args()
    for path in (
        cut(chosen.regular, latin() | big5_level_1(), "Regular"),
        cut(chosen.bold, latin(), "Bold"),
    ):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
