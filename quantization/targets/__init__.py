"""What each GPU target runs: its operators, its passes, and its graphs emulated on a CPU; self-check records."""
