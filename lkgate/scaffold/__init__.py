"""What ``lkgate init`` puts into the repository of an agent that has never heard of lkgate."""

from lkgate.scaffold.program import Program, find_programs, read_program
from lkgate.scaffold.write import Done, write

__all__ = ["Done", "Program", "find_programs", "read_program", "write"]
