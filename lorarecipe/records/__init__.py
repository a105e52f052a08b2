"""What one run writes down and another command reads: a dataclass for each file, written and read by the same form."""

from lorarecipe.records.gate import Check, Gate, GatePicture, Verdict
from lorarecipe.records.leak import Advice, Leak, Point, Row, Shot
from lorarecipe.records.made import Made, Proof, Sitting
from lorarecipe.records.passports import CastMember, CheckpointUsed, Network, Passport, TrainedBy
from lorarecipe.records.picks import Candidate, Candidates, Choice, Pick
from lorarecipe.records.text import read_record, record_text

__all__ = [
    "Advice",
    "Candidate",
    "Candidates",
    "CastMember",
    "Check",
    "CheckpointUsed",
    "Choice",
    "Gate",
    "GatePicture",
    "Leak",
    "Made",
    "Network",
    "Passport",
    "Pick",
    "Point",
    "Proof",
    "Row",
    "Shot",
    "Sitting",
    "TrainedBy",
    "Verdict",
    "read_record",
    "record_text",
]
