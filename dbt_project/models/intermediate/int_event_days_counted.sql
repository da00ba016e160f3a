{{ days_of_events(ref('int_events_begun')) }}
