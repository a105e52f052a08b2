"""Make stages on the machines of a Ray cluster. The one room that imports Ray, and only when it is asked for."""

from lorarecipe.cluster.connection import on_cluster
from lorarecipe.cluster.worker import OnCluster

__all__ = ["OnCluster", "on_cluster"]
