"""What ``lkgate init`` puts into the repository of an agent that has never heard of lkgate."""

from lkgate.scaffold.origin import Origin, installed
from lkgate.scaffold.program import Program, find_programs, read_program
from lkgate.scaffold.text import entry, unpublished
from lkgate.scaffold.write import Done, declared, starts, write

__all__ = [
    "Done",
    "Origin",
    "Program",
    "declared",
    "entry",
    "find_programs",
    "installed",
    "read_program",
    "starts",
    "unpublished",
    "write",
]
