"""Who is in photos and videos: faces grouped into people, and what people say of that."""
