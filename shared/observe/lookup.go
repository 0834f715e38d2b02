package observe

import (
	"context"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

// lookUp adds what is looked up when somebody reads.
func (s *Set) lookUp(ctx context.Context, g *meter.Gather) {
	g.Gauge(meter.Desc{Name: "aigne_hub_http_requests_in_flight", Help: "HTTP requests that are being served."}, s.inFlight.Load())
	s.jobs.mu.Lock()
	for name, at := range s.jobs.done {
		g.Gauge(meter.Desc{Name: "aigne_hub_job_last_success_timestamp_seconds", Labels: []string{"job"}, Decimals: 3, Unit: "s",
			Help: "When a scheduled job last succeeded in this process."}, at.UnixMilli(), name)
	}
	s.jobs.mu.Unlock()
	h := s.hub.Load()
	if h == nil {
		return
	}
	writer(h, g)
	s.providers(h, g)
	b, ok := s.waiting(ctx, h)
	if !ok {
		return
	}
	gauge := func(name, help string, decimals int, v int64) {
		g.Gauge(meter.Desc{Name: name, Help: help, Decimals: decimals}, v)
	}
	gauge("aigne_hub_open_calls", "Calls that are admitted and not settled, jobs at providers included.", 0, b.OpenCalls)
	gauge("aigne_hub_held_credits", "Credits that open calls hold.", 9, int64(b.Held))
	gauge("aigne_hub_oldest_open_call_seconds", "Age of the oldest open call.", 6, seconds(b.OldestCall))
	gauge("aigne_hub_sweeper_lag_seconds", "How long the open calls of a process that died have waited for the sweeper.", 6, seconds(b.SweeperLag))
	gauge("aigne_hub_outbox_pending", "Calls whose usage is still to be reported outside.", 0, b.UsagePending)
	gauge("aigne_hub_outbox_oldest_seconds", "Age of the oldest of them.", 6, seconds(b.OldestUsage))
	gauge("aigne_hub_outbox_dead", "Calls whose usage was refused outside.", 0, b.UsageDead)
	gauge("aigne_hub_notices_due", "Deliveries of notices by webhook and e-mail that are due.", 0, b.Notices)
	gauge("aigne_hub_notices_oldest_seconds", "How long the oldest of them is due.", 6, seconds(b.OldestNotice))
	gauge("aigne_hub_credentials_disabled", "Stored credentials that are switched off or were refused.", 0, b.DisabledCredentials)
	if b.ok {
		gauge("aigne_hub_ledger_violations", "What the last scheduled verification of the books found wrong.", 0, int64(b.verified.Violations))
		gauge("aigne_hub_ledger_verified_timestamp_seconds", "When it was.", 3, b.verified.At.UnixMilli())
	}
	open := meter.Desc{Name: "aigne_hub_alerts_open", Labels: []string{"rule", "severity"}, Help: "Alerts that are not resolved."}
	number := map[[2]string]int64{}
	for _, a := range b.alerts {
		number[[2]string{a.Rule, a.Severity}]++
	}
	for of, n := range number {
		g.Gauge(open, n, of[0], of[1])
	}
}

// writer adds what the database's writer does.
func writer(h *Hub, g *meter.Gather) {
	w := h.Store.WriteStats()
	depth := meter.Desc{Name: "aigne_hub_db_queue_depth", Labels: []string{"priority"}, Help: "Units that wait to be written."}
	settling, admitting, background := w.Waiting()
	g.Gauge(depth, int64(settling), "settling")
	g.Gauge(depth, int64(admitting), "admitting")
	g.Gauge(depth, int64(background), "background")
	g.Histogram(meter.Desc{Name: "aigne_hub_db_wait_seconds", Decimals: 6, Unit: "s", Help: "Time that a unit waited to be written."}, w.Wait)
	g.Histogram(meter.Desc{Name: "aigne_hub_db_commit_seconds", Decimals: 6, Unit: "s", Help: "Time that a group of units took to become durable."}, w.Commit)
	g.Counter(meter.Desc{Name: "aigne_hub_db_units_total", Help: "Units that were written."}, w.Units())
	g.Counter(meter.Desc{Name: "aigne_hub_db_groups_total", Help: "Transactions in which they were written."}, w.Groups())
	g.Counter(meter.Desc{Name: "aigne_hub_db_failures_total", Help: "Units that the database could not take."}, w.Failed())
}

// providers adds how credentials and targets stand.
func (s *Set) providers(h *Hub, g *meter.Gather) {
	if h.Routes == nil {
		return
	}
	routes := h.Routes()
	rest := meter.Desc{Name: "aigne_hub_credential_rest_seconds", Labels: []string{"provider", "credential"}, Decimals: 6, Unit: "s",
		Help: "How much longer a credential in use cools down, for one model at least; 0 when it does not."}
	broken := meter.Desc{Name: "aigne_hub_breakers_open", Labels: []string{"provider", "model"}, Help: "Targets that this process asks last because they fail."}
	open := map[string]bool{}
	for _, p := range routes.Providers() {
		open[p.Name] = true
		for _, c := range p.Credentials {
			var left int64
			if until := h.RestsUntil(p, c); !until.IsZero() {
				left = max(0, seconds(until.Sub(s.now())))
			}
			g.Gauge(rest, left, p.Name, c.Name)
		}
	}
	count := map[[2]string]int64{}
	listed := map[string]bool{}
	if failing := h.OpenBreakers(); len(failing) > 0 {
		for _, t := range failing {
			if !open[t[0]] {
				continue
			}
			if len(listed) == 0 {
				for _, l := range allModels(routes) {
					listed[l] = true
				}
			}
			if !listed[t[0]+"/"+t[1]] {
				t[1] = other
			}
			count[t]++
		}
	}
	for t, n := range count {
		g.Gauge(broken, n, t[0], t[1])
	}
}

// process adds what the process uses.
func (s *Set) process(_ context.Context, g *meter.Gather) {
	g.Gauge(meter.Desc{Name: "aigne_hub_build_info", Labels: []string{"version", "go"}, Help: "The version that runs."}, 1, s.version, runtime.Version())
	g.Gauge(meter.Desc{Name: "process_start_time_seconds", Decimals: 3, Unit: "s", Help: "When the process began."}, s.started.UnixMilli())
	g.Gauge(meter.Desc{Name: "go_goroutines", Help: "Goroutines that exist."}, int64(runtime.NumGoroutine()))
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(samples)
	for i, d := range []meter.Desc{
		{Name: "go_memory_heap_objects_bytes", Help: "Memory of objects on the heap.", Unit: "By"},
		{Name: "go_memory_total_bytes", Help: "Memory that the runtime has mapped.", Unit: "By"},
		{Name: "go_gc_cycles_total", Help: "Garbage collections."},
	} {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			continue
		}
		if v := int64(samples[i].Value.Uint64()); strings.HasSuffix(d.Name, "_total") {
			g.Counter(d, v)
		} else {
			g.Gauge(d, v)
		}
	}
	linux(g)
}

// linux adds what /proc tells of the process, where there is one.
func linux(g *meter.Gather) {
	const (
		ticks    = 100 // a second, on every Linux that Go runs on
		utime    = 11  // fields of /proc/self/stat behind the name of the command
		rss      = 21
		toMicros = 1_000_000 / ticks
	)
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) <= rss {
		return
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(fields[i], 10, 64) // the kernel's own writing
		return n
	}
	g.Counter(meter.Desc{Name: "process_cpu_seconds_total", Decimals: 6, Unit: "s", Help: "CPU time of the process."}, (number(utime)+number(utime+1))*toMicros)
	g.Gauge(meter.Desc{Name: "process_resident_memory_bytes", Unit: "By", Help: "Memory of the process that is in RAM."}, number(rss)*int64(os.Getpagesize()))
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		g.Gauge(meter.Desc{Name: "process_open_fds", Help: "Open files and connections."}, int64(len(open)))
	}
}
