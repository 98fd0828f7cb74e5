//! Publishing: what it needs, what it shows, and what it leaves behind.
