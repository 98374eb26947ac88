"""Between the lab's edge and a connector: HTTP/2 with roles turned round, Cap'n Proto, header packing."""
