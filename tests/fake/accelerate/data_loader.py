from collections.abc import Iterator


class DataLoaderShard:
    def __init__(self, batches: int) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[int]:
        yield from range(self.batches)
