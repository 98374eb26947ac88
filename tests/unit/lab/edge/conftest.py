from tests.support.edge_fixtures import connected, edge, origin, store, users

__all__ = ["connected", "edge", "origin", "store", "users"]
