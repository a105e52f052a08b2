"""Execute a plan as a stream of events, and fold the stream into a record."""

from lorarecipe.run.execute import execute
from lorarecipe.run.record import Record, fold

__all__ = ["Record", "execute", "fold"]
