"""A local stand-in for Africa's Talking: what its SDK calls, what it calls back, faults on demand and a handset."""
