"""The steps that touch the world: sources, planning, processing, tables, ledger."""
