"""The maker of the demo's recordings: ``python -m lkgate.demo.make``."""
