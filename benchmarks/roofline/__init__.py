"""How near to the memory's speed a bundle comes, and what it would cost on other machines."""
