select c.seq, change_text(c) as text, c.previous_hash, c.hash
from change_log c
where c.seq > $1
order by c.seq
limit 1000
