"""The parts that every write of a row is composed of: columns, lists, persistence, receipts."""
