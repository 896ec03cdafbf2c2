#!/usr/bin/env python3
"""Checks that the Swift code of the documents is in the snippets, which compile; exits with 1 otherwise.

Every ```swift block of a document must be in one file of Snippets/, line by line. Lines of a
package manifest are exempt.
"""

import pathlib
import re
import sys

DOCUMENTS = [
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/*.md", "Sources/Norma/Norma.docc/**/*.md",
]
BLOCK = re.compile(r"^```swift\n(.*?)^```", re.MULTILINE | re.DOTALL)


def plain(code):
    """The code without indentation, blank lines and trailing comments."""
    lines = (re.sub(r"\s+//.*", "", line).strip() for line in code.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def main():
    snippets = [plain(path.read_text()) for path in sorted(pathlib.Path("Snippets").glob("*.swift"))]
    blocks, problems = 0, []
    for pattern in DOCUMENTS:
        for path in sorted(pathlib.Path(".").glob(pattern)):
            text = path.read_text()
            for block in BLOCK.finditer(text):
                if ".package(" in block[1]:
                    continue
                blocks += 1
                if not any(plain(block[1]) in snippet for snippet in snippets):
                    line = text.count("\n", 0, block.start()) + 1
                    problems.append(f"{path}:{line}: this code is in no snippet")
    print("\n".join(problems) or f"snippets: {blocks} blocks of the documents compile")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
