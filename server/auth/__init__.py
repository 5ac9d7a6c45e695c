"""Who is this, and what may they touch: people, their phones, and the office's sessions."""
