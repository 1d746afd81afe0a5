"""What there is: lists, everything about one name, citations, the manual's generated parts."""
