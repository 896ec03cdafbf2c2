#!/usr/bin/env python3
"""Holds prose to plain English and lines to 100 columns; prints what is wrong and exits with 1.

    Tools/check-language.py [--words | --columns] [path ...]

Without paths, looks at Sources, Tests, Snippets and the documents. Checks that
- comments, string literals and Markdown prose use the field's terms: WORDS lists expressions that
  native speakers would not use here, and what to write instead;
- no line of Swift, C or a header is longer than 100 columns, comments included, and neither is a
  line of Markdown outside of tables, code blocks and lines that a link makes long.

Code in backticks, names and code itself are not prose.
"""

import argparse
import bisect
import pathlib
import re
import sys

COLUMNS = 100
DEFAULT_PATHS = ["Sources", "Tests", "Snippets", "Examples", "docs", "Benchmarks", ".github", "."]

# An expression, what to write instead, and the uses that are fine.
WORDS = [
    (
        r"places?",
        "index, position, element, destination or call site",
        [
            r"(?:in|into) place\b",
            r"in-place",
            r"(?:in|take|takes|taking|took|taken) (?:the |its |their |\S+'s )?place\b",
            r"(?:decimal|binary|last|first) places?\b",
            r"places? (?:after|behind) the (?:decimal )?point",
        ],
    ),
    (
        r"at once",
        "eagerly or immediately; for several things together: together, in one pass",
        [r"(?:all|several axes) at once"],
    ),
    (r"trips?", "pass over memory, read, write", [r"round[ -]trips?"]),
    (r"truth values?", "Boolean", []),
    (r"so many", "n, this many, the number of", [r"hold so many"]),
    (r"(?:of|from|over) nothing", "of an empty tensor, of no elements", [r"nothing (?:but|else)"]),
    (r"kin", "and similar, and the like, related", []),
    (r"sisters?", "sibling", []),
    (r"nobody|somebody", "no one, nothing, no caller; a caller, a user, something", []),
    (r"the own(?: ones?)?", "its own, the corresponding", []),
    (r"anew", "again", []),
    (r"(?:stand|stands|standing|stood) in", "replace, be in", [r"stands? in for"]),
    (r"(?:stand|stands|standing|stood|stands in|stand in) for", "mean, represent, replace", []),
    (r"(?:numbers?|values?|elements?) that (?:is|are) none", "NaN", []),
    (r"(?:is|are) none of", "is not one of, is not among", []),
    (r"many an?", "many", [r"how many an?\b", r"as many an?\b"]),
    (r"from (?:\S+ )?on that", "starting at", []),
    (r"behind (?:it|them|those|that)\b", "after it, the following", []),
    (r"the world's", "not the caller's fault; an error of the environment", []),
]
PATTERNS = [
    (re.compile(rf"\b(?:{word})\b", re.IGNORECASE), word, instead, allowed)
    for word, instead, allowed in WORDS
]

# Files whose text is not ours to change, and why.
EXEMPT = {
    "Fixtures": "recorded by other programs",
    ".build": "build products",
    ".git": "the repository itself",
}

CODE = {".swift", ".c", ".h"}
# Comments and string literals, as far as one can tell them apart without parsing.
SWIFT_TOKEN = re.compile(
    r'(?P<quote>#*"""(?:.|\n)*?"""#*|#"(?:[^\n])*?"#|"(?:\\.|[^"\\\n])*")'
    r"|(?P<line>//[^\n]*)|(?P<block>/\*(?:.|\n)*?\*/)"
)
INTERPOLATION = re.compile(r"\\\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*\)")
CODE_SPAN = re.compile(r"``[^`\n]*``|`[^`\n]*`")
LABEL = re.compile(r"(?m)^(\s*- )(?:Parameter )?\w+:")
LINK = re.compile(r"\]\([^)\n]*\)|https?://\S+|<doc:[^>\n]*>")
WHOLE_LINK = re.compile(r"\[[^\]]*\]\([^)]*\)|\S+://\S+")


def blank(pattern, text):
    """The text with what the pattern matches replaced by as many spaces; line ends stay."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", "\u00a0", match[0]), text)


def without_code(text):
    """Prose with code spans, interpolations, links and parameter names blanked."""
    for pattern in (CODE_SPAN, INTERPOLATION, LINK):
        text = blank(pattern, text)
    return LABEL.sub(lambda match: match[1] + "\u00a0" * (len(match[0]) - len(match[1])), text)


def code_prose(text):
    """The comments and literals of a source file as (first line, prose), line ends kept.

    Comments on adjacent lines are one piece, so that an expression may break over them.
    """
    pieces = []
    for match in SWIFT_TOKEN.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["line"]:
            words = re.sub(r"^//[/!]?", "", match[0])
            if pieces and pieces[-1][2] == "line":
                first, earlier, _ = pieces[-1]
                if first + earlier.count("\n") + 1 == line:
                    pieces[-1] = (first, earlier + "\n" + words, "line")
                    continue
            pieces.append((line, words, "line"))
        elif match["block"]:
            pieces.append((line, match[0], "block"))
        else:
            pieces.append((line, match[0].strip('#"'), "quote"))
    return [(line, words) for line, words, _ in pieces]


def markdown_prose(text):
    """Markdown without its code blocks, as one piece."""
    fences = re.compile(r"(?m)^( *)(```|~~~)(?:.|\n)*?^\1\2\s*$")
    return [(1, blank(fences, text))]


def check_words(path, text):
    """Expressions of the list in one file."""
    pieces = markdown_prose(text) if path.suffix == ".md" else code_prose(text)
    for first, piece in pieces:
        prose = without_code(piece)
        ends = [match.start() for match in re.finditer("\n", prose)]
        # An expression may break over a line, with or without the indentation of the next.
        flat = re.sub(r"\n[ \t]*", lambda match: " " * len(match[0]), prose)
        flat = re.sub(r" {2,}", lambda match: " " + "\u200b" * (len(match[0]) - 1), flat)
        for pattern, word, instead, allowed in PATTERNS:
            spaced = re.compile(pattern.pattern.replace(" ", " \u200b*"), re.IGNORECASE)
            for match in spaced.finditer(flat):
                around = flat[max(0, match.start() - 40) : match.end() + 40].replace("\u200b", "")
                found = match[0].replace("\u200b", "")
                if any(
                    found.lower() in use[0].lower()
                    for fine in allowed
                    for use in re.finditer(fine, around, re.IGNORECASE)
                ):
                    continue
                line = first + bisect.bisect_left(ends, match.start())
                yield line, f'"{found}": write {instead}'


def check_columns(path, text):
    """Lines that are too long."""
    if path.suffix == ".md":
        _, text = markdown_prose(text)[0]
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) <= COLUMNS or line.strip("\u00a0 ") == "":
            continue
        if path.suffix == ".md":
            # A table, a picture, or a line whose overhang is a link, which cannot be broken.
            if line.lstrip().startswith(("|", "![")) or " " not in line[: COLUMNS + 1].lstrip(" -*"):
                continue
            if any(match.end() > COLUMNS for match in WHOLE_LINK.finditer(line)):
                continue
        elif re.search(r"https?://|^\s*///? \|", line):
            # A link, or a table in a comment.
            continue
        yield number, f"{len(line)} columns (limit {COLUMNS})"


def files(paths):
    """The files to look at, each once."""
    seen = set()
    for name in paths:
        path = pathlib.Path(name)
        if path.is_file():
            found = [path]
        elif name == ".":
            found = sorted(path.glob("*.md")) + sorted(path.glob("*.swift"))
        else:
            found = sorted(path.rglob("*"))
        for file in found:
            if file.suffix not in CODE | {".md"} or file in seen:
                continue
            if not file.is_file() or set(file.parts) & set(EXEMPT):
                continue
            seen.add(file)
            yield file


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", action="store_true", help="look at words only")
    parser.add_argument("--columns", action="store_true", help="look at the length of lines only")
    parser.add_argument("paths", nargs="*", help="files and folders; all by default")
    options = parser.parse_args()

    problems = []
    count = 0
    for path in files(options.paths or DEFAULT_PATHS):
        text = path.read_text()
        count += 1
        found = []
        if not options.columns:
            found += check_words(path, text)
        if not options.words:
            found += check_columns(path, text)
        problems += [f"{path}:{line}: {problem}" for line, problem in sorted(found)]
    print("\n".join(problems) or f"language: {count} files are in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
