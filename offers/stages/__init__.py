"""The steps from a phone's event to a delivered message: rows in, a rule asked, rows out. No stage imports another."""
