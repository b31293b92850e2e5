"""What the house does with mail, named by the roles of RFC 5598; floors, of which only upper ones see lower ones."""
