"""What the operator must see: the transition table, and how an alarm moves through it. Pure."""
