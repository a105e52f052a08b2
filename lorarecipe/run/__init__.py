"""Execute a plan as a stream of events, and fold the stream into a record."""

from lorarecipe.run.deliver import REPORT, is_ours
from lorarecipe.run.execute import execute
from lorarecipe.run.leak import LEAK
from lorarecipe.run.ledger import Run, all_runs, begin_run, changes_since, find_run, flat, noted, plan_changes
from lorarecipe.run.passport import PASSPORT
from lorarecipe.run.pictures import CANDIDATES
from lorarecipe.run.record import Record, fold

__all__ = [
    "CANDIDATES",
    "LEAK",
    "PASSPORT",
    "REPORT",
    "Record",
    "Run",
    "all_runs",
    "begin_run",
    "changes_since",
    "execute",
    "find_run",
    "flat",
    "fold",
    "is_ours",
    "noted",
    "plan_changes",
]
