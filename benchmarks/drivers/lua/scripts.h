// Lua scripts; each is given a number as `...` and returns a number or a text. No order of a table's keys matters.
#ifndef SCRIPTS_H
#define SCRIPTS_H

static const struct {
  const char *name, *text;
} scripts[] = {
    {"fibonacci", "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end\n"
                  "local sum = 0\n"
                  "for i = 1, ... do sum = sum + fib(8 + i % 8) end\n"
                  "return sum\n"},
    {"sieve", "local n, composite, count = ... * 100, {}, 0\n"
              "for i = 2, n do\n"
              "  if not composite[i] then\n"
              "    count = count + 1\n"
              "    for j = i * i, n, i do composite[j] = true end\n"
              "  end\n"
              "end\n"
              "return count\n"},
    {"strings", "local words, counts = {}, {}\n"
                "for i = 1, ... * 4 do\n"
                "  local word = string.format('w%d', i * 7919 % 211)\n"
                "  words[#words + 1] = word:upper():gsub('W', 'word ')\n"
                "  counts[word] = (counts[word] or 0) + 1\n"
                "end\n"
                "local text, total = table.concat(words, ', '), 0\n"
                "for number in text:gmatch('%d+') do total = total + tonumber(number) end\n"
                "return #text .. ' ' .. total .. ' ' .. counts.w7\n"},
    {"objects", "local Account = {}\n"
                "Account.__index = Account\n"
                "function Account.new(balance) return setmetatable({balance = balance}, Account) end\n"
                "function Account:deposit(amount) self.balance = self.balance + amount end\n"
                "local accounts = {}\n"
                "for i = 1, 100 do accounts[i] = Account.new(i) end\n"
                "for i = 1, ... * 50 do accounts[i % 100 + 1]:deposit(i % 7) end\n"
                "local total = 0\n"
                "for _, account in ipairs(accounts) do total = total + account.balance end\n"
                "return total\n"},
    {"sorting", "local seed, values = 42, {}\n"
                "for i = 1, ... * 10 do\n"
                "  seed = (seed * 1103515245 + 12345) % 2147483648\n"
                "  values[i] = seed % 100000 / 8\n"
                "end\n"
                "table.sort(values, function(a, b) return a > b end)\n"
                "return string.format('%.17g %.17g', values[1], values[#values // 2])\n"},
    {"closures", "local function counter() local n = 0 return function(step) n = n + step return n end end\n"
                 "local made, sum = {}, 0\n"
                 "for i = 1, 20 do made[i] = counter() end\n"
                 "local generate = coroutine.wrap(function() for i = 1, math.huge do coroutine.yield(i % 5) end end)\n"
                 "for i = 1, ... * 10 do sum = sum + made[i % 20 + 1](generate()) end\n"
                 "return sum\n"},
};

#endif
