"""Who may do what: users, roles, access tokens, permissions."""
