"""The one vocabulary of behavior: entities, channels, behaviors with typed properties, constructs."""

from ethogram.core.taxonomy.behavior import Behavior, Deprecation, UnknownBehavior
from ethogram.core.taxonomy.channel import Channel, UnknownChannel
from ethogram.core.taxonomy.construct import Construct
from ethogram.core.taxonomy.entity import Entity, UnknownEntity
from ethogram.core.taxonomy.property import Property, UnknownProperty
from ethogram.core.taxonomy.taxonomy import Taxonomy, load_taxonomy

__all__ = [
    "Behavior",
    "Channel",
    "Construct",
    "Deprecation",
    "Entity",
    "Property",
    "Taxonomy",
    "UnknownBehavior",
    "UnknownChannel",
    "UnknownEntity",
    "UnknownProperty",
    "load_taxonomy",
]
