"""Figures in the documentation, made again by the commands that they came of.

A block of a page stands between `<!-- made by: COMMAND -->` and `<!-- end -->`, both on lines of their own. COMMAND is a
management command with its arguments; `{name}` in it is a folder of data that does not come with the project. Where
`| part 2 of 3` follows it, the block is that part of the output, parts being parted by an empty line. A block whose first line is indented
is kept indented.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_BLOCK = re.compile(
    r"^<!-- made by: (?P<command>.+?)(?: \| part (?P<part>\d+) of (?P<parts>\d+))? -->\n"
    r"(?P<body>.*?)^<!-- end -->$",
    re.MULTILINE | re.DOTALL,
)
_NEEDS = re.compile(r"\{(\w+)\}")
INDENT = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a page says of a block, and the block as it stands."""

    command: str
    part: int  # from 1
    parts: int
    body: str

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the folders that the command needs."""
        return tuple(_NEEDS.findall(self.command))


def blocks(page: str) -> Iterator[Block]:
    """Yield the page's blocks from top to bottom."""
    for match in _BLOCK.finditer(page):
        yield _block(match)


def remade(
    page: str, *, folders: Mapping[str, str], run: Callable[[Sequence[str]], str], only: str = ""
) -> str:
    """Return the page with each block made anew whose folders are all given; the others stand as they were.

    only: a word that a block's command must hold. run: takes the words of a command and returns what it prints. Raises ValueError where a command prints another number
    of parts than the page says.
    """

    def made(match: re.Match[str]) -> str:
        block = _block(match)
        if only not in block.command or not set(block.needs) <= folders.keys():
            return match[0]
        words = [word.format_map(folders) for word in shlex.split(block.command)]
        body = _part(run(words), block=block)
        if block.body.strip("\n").startswith(INDENT):
            body = "\n".join(f"{INDENT}{line}".rstrip() for line in body.split("\n"))
        head = match[0][: match[0].index("\n") + 1]
        return f"{head}\n{body}\n\n<!-- end -->"

    return _BLOCK.sub(made, page)


def _block(match: re.Match[str]) -> Block:
    part, parts = int(match["part"] or 1), int(match["parts"] or 1)
    return Block(command=match["command"], part=part, parts=parts, body=match["body"])


def _part(printed: str, *, block: Block) -> str:
    if block.parts == 1:
        return printed.strip("\n")
    found = printed.strip("\n").split("\n\n")
    if len(found) != block.parts:
        raise ValueError(f"{block.command} printed {len(found)} parts, and the page knows {block.parts}")
    return found[block.part - 1]
