"""What sources promise, as ODCS documents, and the rules that a single row can break."""

from ethogram.core.contracts.contract import Column, Contract, Rule, load_contract

__all__ = ["Column", "Contract", "Rule", "load_contract"]
