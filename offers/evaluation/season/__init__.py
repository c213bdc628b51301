"""A season of shoppers whose true response is known, under four ways of telling them; docs/algorithms/season.md."""
