"""The data source of our views: it names the signal, the offline store computes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from feast.data_source import DataSource
from feast.protos.feast.core.DataSource_pb2 import DataSource as DataSourceProto
from feast.repo_config import RepoConfig
from feast.value_type import ValueType

AT = "event_timestamp"


class SignalSource(DataSource):
    """Rows of one of our views: join key, features and the instant they are of."""

    def __init__(self, *, view: str, columns: dict[str, str], description: str = "", owner: str = "") -> None:
        super().__init__(name=view, timestamp_field=AT, description=description, owner=owner)
        self.view = view
        self.columns = columns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SignalSource) and self._to_proto_impl() == other._to_proto_impl()

    def __hash__(self) -> int:
        return hash(self.name)

    def source_type(self) -> DataSourceProto.SourceType.ValueType:
        """Feast's word for a source of somebody else's."""
        return DataSourceProto.CUSTOM_SOURCE

    @staticmethod
    def from_proto(data_source: DataSourceProto) -> SignalSource:
        """The source in a registry's message."""
        options = json.loads(data_source.custom_options.configuration)
        return SignalSource(
            view=options["view"],
            columns=options["columns"],
            description=data_source.description,
            owner=data_source.owner,
        )

    def _to_proto_impl(self) -> DataSourceProto:
        options = json.dumps({"view": self.view, "columns": self.columns})
        return DataSourceProto(
            name=self.name,
            type=DataSourceProto.CUSTOM_SOURCE,
            data_source_class_type="ethogram.adapters.feast.source.SignalSource",
            custom_options=DataSourceProto.CustomSourceOptions(configuration=options.encode()),
            timestamp_field=self.timestamp_field,
            description=self.description,
            owner=self.owner,
        )

    def validate(self, config: RepoConfig) -> None:
        """Nothing to look up: the view was checked when it was compiled."""

    @staticmethod
    def source_datatype_to_feast_value_type() -> Callable[[str], ValueType]:
        """Column types are Feast's own names already."""
        return lambda name: ValueType[name]

    def get_table_column_names_and_types(self, config: RepoConfig) -> Iterable[tuple[str, str]]:
        """Join key, features and timestamp with Feast's type names."""
        return [*self.columns.items(), (AT, "UNIX_TIMESTAMP")]

    def get_table_query_string(self) -> str:
        """Name shown where other sources show a table."""
        return self.view


def is_ours(view: Any) -> bool:
    """Whether a Feast feature view is one of our compiled ones."""
    return isinstance(getattr(view, "batch_source", None), SignalSource)
