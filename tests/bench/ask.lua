-- Asks the lines of a file in turn, again from the beginning at its end: METHOD PATH [BODY].
-- wrk … -- FILE [NAME=VALUE …] with headers; PATH= stands for the path of every line.
local threads = {}

function setup(thread)
  thread:set("place", #threads)
  table.insert(threads, thread)
end

function init(words)
  local path
  for word = 2, #words do
    local name, value = words[word]:match("^([%w-]+)=(.*)$")
    if name == "PATH" then path = value else wrk.headers[name] = value end
  end
  requests = {}
  for line in io.lines(words[1]) do
    local method, target, body = line:match("^(%S+) (%S+) ?(.*)$")
    requests[#requests + 1] = wrk.format(method, path or target, nil, body)
  end
  -- The threads begin far apart, and no run where the one before did.
  math.randomseed(os.time() + place)
  turn = (math.random(#requests) + place * math.floor(#requests / 2)) % #requests
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%f,"refused":%d,"broken":%d,"p50":%f,"p99":%f}\n',
    summary.requests, summary.duration / 1e6, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
