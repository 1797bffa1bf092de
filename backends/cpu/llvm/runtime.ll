; How threads work on one image together: a barrier between loop nests, and threads that wait for work.
;
; The memory of a team, zero at first, one cache line for each:
;     0    which job it is, counted up         192  how many threads have done it
;     64   barrier: how many have arrived      256  what to call, with what, by how many threads
;     128  barrier: which turn it is           384  a mutex, and from 512 on a condition

declare i32 @sched_yield()
declare void DECLARED
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)

; Goes on when all threads have come here.
define linkonce_odr void @neurocuda_barrier(ptr %team, i64 %threads) nounwind {
entry:
  %alone = icmp eq i64 %threads, 1
  br i1 %alone, label %onward, label %arrive

arrive:
  %arrived = getelementptr i8, ptr %team, i64 64
  %turn = getelementptr i8, ptr %team, i64 128
  %now = load atomic i64, ptr %turn acquire, align 8
  %before = atomicrmw add ptr %arrived, i64 1 acq_rel
  %others = sub i64 %threads, 1
  %last = icmp eq i64 %before, %others
  br i1 %last, label %open, label %wait

open:
  store atomic i64 0, ptr %arrived monotonic, align 8
  %next = add i64 %now, 1
  store atomic i64 %next, ptr %turn release, align 8
  ret void

wait:
  call void @neurocuda_await(ptr %turn, i64 %now)
  ret void

onward:
  ret void
}

; Waits for as long as a number is what it was; after a while others may have the processor.
define linkonce_odr void @neurocuda_await(ptr %number, i64 %old) noinline nounwind {
entry:
  br label %look

look:
  %turns = phi i64 [ 0, %entry ], [ %more, %spin ], [ %more, %yield ]
  %new = load atomic i64, ptr %number acquire, align 8
  %same = icmp eq i64 %new, %old
  br i1 %same, label %on, label %done

on:
  %more = add i64 %turns, 1
  %long = icmp ugt i64 %more, 2000
  br i1 %long, label %yield, label %spin

spin:
  call void PAUSE
  br label %look

yield:
  %ignored = call i32 @sched_yield()
  br label %look

done:
  ret void
}

define void @neurocuda_begin(ptr %team) nounwind {
  %mutex = getelementptr i8, ptr %team, i64 384
  %condition = getelementptr i8, ptr %team, i64 512
  %a = call i32 @pthread_mutex_init(ptr %mutex, ptr null)
  %b = call i32 @pthread_cond_init(ptr %condition, ptr null)
  ret void
}

; The first thread: hands out a job, does its own share, and comes back when all are done.
define void @neurocuda_lead(ptr %team, ptr %function, ptr %arguments, i64 %threads) nounwind {
  %done = getelementptr i8, ptr %team, i64 192
  %what = getelementptr i8, ptr %team, i64 256
  %with = getelementptr i8, ptr %team, i64 264
  %by = getelementptr i8, ptr %team, i64 272
  %mutex = getelementptr i8, ptr %team, i64 384
  %condition = getelementptr i8, ptr %team, i64 512
  store atomic i64 0, ptr %done monotonic, align 8
  store ptr %function, ptr %what
  store ptr %arguments, ptr %with
  store i64 %threads, ptr %by
  %a = call i32 @pthread_mutex_lock(ptr %mutex)
  %job = load atomic i64, ptr %team monotonic, align 8
  %next = add i64 %job, 1
  store atomic i64 %next, ptr %team release, align 8
  %b = call i32 @pthread_cond_broadcast(ptr %condition)
  %c = call i32 @pthread_mutex_unlock(ptr %mutex)
  call void %function(ptr %arguments, i64 0, i64 %threads, ptr %team)
  %others = sub i64 %threads, 1
  br label %look

look:
  %finished = load atomic i64, ptr %done acquire, align 8
  %all = icmp eq i64 %finished, %others
  br i1 %all, label %end, label %wait

wait:
  call void @neurocuda_await(ptr %done, i64 %finished)
  br label %look

end:
  ret void
}

; Every other thread, for as long as the process lives: looks for a job for a while, then sleeps until there is one.
define void @neurocuda_work(ptr %team, i64 %thread) nounwind {
entry:
  %done = getelementptr i8, ptr %team, i64 192
  %what = getelementptr i8, ptr %team, i64 256
  %with = getelementptr i8, ptr %team, i64 264
  %by = getelementptr i8, ptr %team, i64 272
  %mutex = getelementptr i8, ptr %team, i64 384
  %condition = getelementptr i8, ptr %team, i64 512
  br label %look

look:
  %seen = phi i64 [ 0, %entry ], [ %seen, %on ], [ %found, %work ]
  %turns = phi i64 [ 0, %entry ], [ %more, %on ], [ 0, %work ]
  %job = load atomic i64, ptr %team acquire, align 8
  %old = icmp eq i64 %job, %seen
  br i1 %old, label %idle, label %work

idle:
  %more = add i64 %turns, 1
  %long = icmp ugt i64 %more, 4000
  br i1 %long, label %rest, label %on

on:
  call void PAUSE
  br label %look

rest:
  %a = call i32 @pthread_mutex_lock(ptr %mutex)
  br label %check

check:
  %still = load atomic i64, ptr %team acquire, align 8
  %nothing = icmp eq i64 %still, %seen
  br i1 %nothing, label %sleep, label %wake

sleep:
  %b = call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
  br label %check

wake:
  %c = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %work

work:
  %found = phi i64 [ %job, %look ], [ %still, %wake ]
  %function = load ptr, ptr %what
  %arguments = load ptr, ptr %with
  %threads = load i64, ptr %by
  call void %function(ptr %arguments, i64 %thread, i64 %threads, ptr %team)
  %d = atomicrmw add ptr %done, i64 1 release
  br label %look
}
