//! What the city's forms mean: pure code, no HTTP, no SQL, no clock.
