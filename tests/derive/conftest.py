from tests.ingest.conftest import recorded

__all__ = ["recorded"]
