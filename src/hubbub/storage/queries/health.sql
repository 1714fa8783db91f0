-- name: use_of_limits
SELECT (SELECT count(*) FROM reservations),
       (SELECT count(*) FROM waiting),
       (SELECT count(*) FROM absences),
       (SELECT count(*) FROM chat_turns WHERE state = 'started'),
       (SELECT coalesce(max(waiting), 0) FROM (
            SELECT count(*) AS waiting FROM chat_turns
            WHERE state = 'accepted' GROUP BY session_key
       ));

-- name: size_in_memory
SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size();
