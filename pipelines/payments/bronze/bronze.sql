select * from typed
