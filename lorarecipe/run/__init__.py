"""Execute a plan as a stream of events, and fold the stream into a record."""

from lorarecipe.run.baking import Baked, bake, baked_in
from lorarecipe.run.beside import record_beside
from lorarecipe.run.changes import plan_changes
from lorarecipe.run.deliver import REPORT, baked_name, is_ours
from lorarecipe.run.devices import workers_of
from lorarecipe.run.execution import NotSent, ResultsFailed, execute
from lorarecipe.run.form import Arguments, PlannedStage, RunRecord, StageRecord
from lorarecipe.run.leaves import flat
from lorarecipe.run.ledger import Run, all_runs, begin_run, changes_since, find_run, noted, results_of
from lorarecipe.run.measured import LEAK
from lorarecipe.run.passport import PASSPORT
from lorarecipe.run.pictures import CANDIDATES
from lorarecipe.run.privacy import reduced
from lorarecipe.run.record import fold, write_results
from lorarecipe.run.sharing import Sharing, with_shared_store
from lorarecipe.run.workers import Here, Worker

__all__ = [
    "CANDIDATES",
    "LEAK",
    "PASSPORT",
    "REPORT",
    "Arguments",
    "Baked",
    "Here",
    "NotSent",
    "PlannedStage",
    "ResultsFailed",
    "Run",
    "RunRecord",
    "Sharing",
    "StageRecord",
    "Worker",
    "all_runs",
    "bake",
    "baked_in",
    "baked_name",
    "begin_run",
    "changes_since",
    "execute",
    "find_run",
    "flat",
    "fold",
    "is_ours",
    "noted",
    "plan_changes",
    "record_beside",
    "reduced",
    "results_of",
    "with_shared_store",
    "workers_of",
    "write_results",
]
