"""What every dialect may use: the base view, serializer fields, ids, logins, pages. A vendor stays free to differ."""
