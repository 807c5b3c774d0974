"""Shipped fakes and the scenario runner."""
