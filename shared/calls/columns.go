package calls

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// row is a call with what is called what.
type row struct {
	*store.Call
	user, key, app string
	zone           *time.Location
}

// column is a column of an export. Its value is text, a number, a truth value or
// nil; money is decimal text, so that nothing is rounded on the way.
type column struct {
	key       string
	heading   [len(languages)]string
	operators bool // shown only to those who run the hub
	value     func(r *row) any
}

// languages are those of headings, in the order of column.heading.
var languages = [...]string{"en", "zh", "zh-TW", "ja"}

// Language is the language for headings that a wish leads to: an HTTP
// Accept-Language, or a single tag. English where nothing else fits.
func Language(wish string) string {
	for tag := range strings.SplitSeq(wish, ",") {
		tag, _, _ = strings.Cut(tag, ";")
		tag = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
		base, rest, _ := strings.Cut(tag, "-")
		switch base {
		case "zh":
			for _, part := range strings.Split(rest, "-") {
				if part == "tw" || part == "hant" || part == "hk" || part == "mo" {
					return "zh-TW"
				}
			}
			return "zh"
		case "ja", "en":
			return base
		}
	}
	return "en"
}

// stamp is a time with its offset, to the millisecond.
const stamp = "2006-01-02T15:04:05.000Z07:00"

func (r *row) time(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.In(r.zone).Format(stamp)
}

func bucket(b hub.Bucket) func(*row) any { return func(r *row) any { return r.Usage[b] } }

func orNil[T any](p *T, as func(T) any) any {
	if p == nil {
		return nil
	}
	return as(*p)
}

func number(n int64) any { return n }

func amount(c money.Credits) any { return c.String() }

// otherUnits are those that have no column of their own.
func otherUnits(r *row) any {
	units := map[string]int64{}
	for b := range hub.NumBuckets {
		if n := r.Usage[b]; n != 0 && b > hub.Reasoning {
			units[b.String()] = n
		}
	}
	if len(units) == 0 {
		return ""
	}
	b, _ := json.Marshal(units) // text and whole numbers; keys sorted
	return string(b)
}

// columns are all columns of an export, in their order.
var columns = []column{
	{"time", [...]string{"Time", "时间", "時間", "日時"}, false, func(r *row) any { return r.time(&r.CreatedAt) }},
	{"call_id", [...]string{"Call ID", "调用 ID", "呼叫 ID", "呼び出し ID"}, false, func(r *row) any { return r.ID }},
	{"request_id", [...]string{"Request ID", "请求 ID", "請求 ID", "リクエスト ID"}, false, func(r *row) any { return r.RequestID }},
	{"user_id", [...]string{"User ID", "用户 ID", "使用者 ID", "ユーザー ID"}, false, func(r *row) any { return r.UserID }},
	{"user_email", [...]string{"User e-mail", "用户邮箱", "使用者電子郵件", "ユーザーのメール"}, false, func(r *row) any { return r.user }},
	{"api_key_id", [...]string{"API key ID", "API 密钥 ID", "API 金鑰 ID", "API キー ID"}, false, func(r *row) any { return r.APIKeyID }},
	{"api_key", [...]string{"API key", "API 密钥", "API 金鑰", "API キー"}, false, func(r *row) any { return r.key }},
	{"app_id", [...]string{"Application ID", "应用 ID", "應用程式 ID", "アプリ ID"}, false, func(r *row) any { return r.AppID }},
	{"app", [...]string{"Application", "应用", "應用程式", "アプリ"}, false, func(r *row) any { return r.app }},
	{"type", [...]string{"Type", "类型", "類型", "種類"}, false, func(r *row) any { return string(r.Type) }},
	{"requested_model", [...]string{"Model asked for", "请求的模型", "請求的模型", "要求されたモデル"}, false, func(r *row) any { return r.RequestedModel }},
	{"provider", [...]string{"Provider", "提供商", "供應商", "プロバイダー"}, false, func(r *row) any { return r.Provider }},
	{"model", [...]string{"Model", "模型", "模型", "モデル"}, false, func(r *row) any { return r.Model }},
	{"stream", [...]string{"Stream", "流式", "串流", "ストリーム"}, false, func(r *row) any { return r.Stream }},
	{"status", [...]string{"Status", "状态", "狀態", "状態"}, false, func(r *row) any { return string(r.Status) }},
	{"http_status", [...]string{"HTTP status", "HTTP 状态码", "HTTP 狀態碼", "HTTP ステータス"}, false, func(r *row) any { return int64(r.HTTPStatus) }},
	{"error_category", [...]string{"Error category", "错误类别", "錯誤類別", "エラーの分類"}, false, func(r *row) any { return r.ErrorCategory }},
	{"error", [...]string{"Error", "错误", "錯誤", "エラー"}, false, func(r *row) any { return r.Error }},
	{"input", [...]string{"Input tokens", "输入令牌", "輸入權杖", "入力トークン"}, false, bucket(hub.Input)},
	{"cache_read", [...]string{"Cache read tokens", "缓存读取令牌", "快取讀取權杖", "キャッシュ読み取りトークン"}, false, bucket(hub.CacheRead)},
	{"cache_write_5m", [...]string{"Cache write tokens (5 min)", "缓存写入令牌（5 分钟）", "快取寫入權杖（5 分鐘）", "キャッシュ書き込みトークン（5 分）"}, false, bucket(hub.CacheWrite5m)},
	{"cache_write_1h", [...]string{"Cache write tokens (1 h)", "缓存写入令牌（1 小时）", "快取寫入權杖（1 小時）", "キャッシュ書き込みトークン（1 時間）"}, false, bucket(hub.CacheWrite1h)},
	{"output", [...]string{"Output tokens", "输出令牌", "輸出權杖", "出力トークン"}, false, bucket(hub.Output)},
	{"reasoning", [...]string{"Reasoning tokens", "推理令牌", "推理權杖", "推論トークン"}, false, bucket(hub.Reasoning)},
	{"other_units", [...]string{"Other units", "其他用量", "其他用量", "その他の使用量"}, false, otherUnits},
	{"usage_source", [...]string{"Source of usage", "用量来源", "用量來源", "使用量の出所"}, false, func(r *row) any { return string(r.Source) }},
	{"credits", [...]string{"Credits", "积分", "點數", "クレジット"}, false, func(r *row) any { return r.Credits.String() }},
	{"duration_ms", [...]string{"Duration (ms)", "耗时（毫秒）", "耗時（毫秒）", "所要時間（ミリ秒）"}, false, func(r *row) any { return orNil(r.DurationMS, number) }},
	{"ttfb_ms", [...]string{"First byte (ms)", "首字节（毫秒）", "首位元組（毫秒）", "最初のバイト（ミリ秒）"}, false, func(r *row) any { return orNil(r.TTFBMS, number) }},
	{"attempts", [...]string{"Attempts", "尝试次数", "嘗試次數", "試行回数"}, false, func(r *row) any { return int64(r.Attempts) }},
	{"finished", [...]string{"Finished", "完成时间", "完成時間", "終了日時"}, false, func(r *row) any { return r.time(r.FinishedAt) }},
	{"credential", [...]string{"Credential", "凭证", "憑證", "認証情報"}, true, func(r *row) any { return r.Credential }},
	{"cost_usd", [...]string{"Cost (USD)", "成本（美元）", "成本（美元）", "原価（米ドル）"}, true, func(r *row) any { return orNil(r.Cost, amount) }},
	{"shortfall", [...]string{"Shortfall", "未收积分", "未收點數", "不足クレジット"}, true, func(r *row) any { return r.Shortfall.String() }},
}

// cell is a value as text.
func cell(v any) string {
	switch v := v.(type) {
	case string:
		return Safe(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// Safe keeps a spreadsheet from taking text for a formula: an apostrophe before
// what may begin one, also behind white space, which spreadsheets show as text.
func Safe(s string) string {
	bare := strings.TrimLeft(s, " \t\r\n\u00a0\u3000\ufeff")
	if first, _ := utf8.DecodeRuneInString(bare); bare != "" && strings.ContainsRune("=+-@|%＝＋－＠", first) {
		return "'" + s
	}
	if len(bare) != len(s) && strings.ContainsAny(s[:1], "\t\r\n") {
		return "'" + s
	}
	return s
}
