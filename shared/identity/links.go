package identity

import (
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Links are addresses that lead people into the hub. Tokens stand in the
// fragment, which browsers keep to themselves: no server, proxy or log sees it.
type Links struct {
	Base string // origin and prefix, without a slash at the end
}

// SignInPage is the path of the page that the links lead to, of the console.
const SignInPage = "/sign-in"

// PlainSignIn is the path of a page that does the same without the console.
const PlainSignIn = "/api/auth/sign-in"

// Invitation leads to where an invitation is accepted.
func (l Links) Invitation(token hub.Secret) hub.Secret {
	return hub.Secret(l.Base + SignInPage + "#invitation=" + token.Reveal())
}

// Reset leads to where a new password is set.
func (l Links) Reset(token hub.Secret) hub.Secret {
	return hub.Secret(l.Base + SignInPage + "#reset=" + token.Reveal())
}

// NewToken makes a token of 256 random bits for a link. Only its hash is kept.
func NewToken() hub.Secret { return hub.Secret(random()) }

// Languages lists the languages that the hub speaks to people.
func Languages() []string { return []string{"en", "zh-CN", "zh-TW", "ja"} }

// mails are what the hub writes to people: subject and text, with the link in
// the place of %s.
var mails = map[string]map[string][2]string{
	"invitation": {
		"en":    {"You are invited to AIGNE Hub", "You are invited to AIGNE Hub. Open this link to accept:\n\n%s\n\nIt works once. If you did not expect it, ignore this message.\n"},
		"zh-CN": {"邀请您使用 AIGNE Hub", "您已受邀使用 AIGNE Hub。请打开以下链接接受邀请：\n\n%s\n\n该链接只能使用一次。如果这与您无关，请忽略此邮件。\n"},
		"zh-TW": {"邀請您使用 AIGNE Hub", "您已受邀使用 AIGNE Hub。請開啟以下連結接受邀請：\n\n%s\n\n此連結只能使用一次。若與您無關，請忽略此郵件。\n"},
		"ja":    {"AIGNE Hub への招待", "AIGNE Hub に招待されました。次のリンクを開いて承諾してください。\n\n%s\n\nリンクは一度だけ使えます。お心当たりがない場合は、このメールを無視してください。\n"},
	},
	"reset": {
		"en":    {"A new password for AIGNE Hub", "Open this link to set a new password for AIGNE Hub:\n\n%s\n\nIt works once, for an hour. If you did not ask for it, ignore this message: your password stays as it is.\n"},
		"zh-CN": {"重设 AIGNE Hub 密码", "请打开以下链接，为 AIGNE Hub 设置新密码：\n\n%s\n\n该链接一小时内有效，只能使用一次。如果不是您本人操作，请忽略此邮件，您的密码不会改变。\n"},
		"zh-TW": {"重設 AIGNE Hub 密碼", "請開啟以下連結，為 AIGNE Hub 設定新密碼：\n\n%s\n\n此連結一小時內有效，只能使用一次。若非您本人操作，請忽略此郵件，您的密碼不會變更。\n"},
		"ja":    {"AIGNE Hub の新しいパスワード", "次のリンクを開いて、AIGNE Hub の新しいパスワードを設定してください。\n\n%s\n\nリンクは一時間以内に一度だけ使えます。お心当たりがない場合は、このメールを無視してください。パスワードは変わりません。\n"},
	},
}

// InvitationMail is what an invited person is sent.
func InvitationMail(language string, link hub.Secret) (subject, text string) {
	return letter("invitation", language, link)
}

// ResetMail is what somebody is sent who wants a new password.
func ResetMail(language string, link hub.Secret) (subject, text string) {
	return letter("reset", language, link)
}

func letter(kind, language string, link hub.Secret) (subject, text string) {
	m, ok := mails[kind][language]
	if !ok {
		m = mails[kind]["en"]
	}
	return m[0], fmt.Sprintf(m[1], link.Reveal())
}
