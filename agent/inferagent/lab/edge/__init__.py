"""The lab's edge: tunnels, users, and a load balancer with monitors between them."""
