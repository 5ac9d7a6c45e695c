"""What the households of the demo commune hear: one version of the clauses and of the privacy notice.

Data, not words of the program: a real commune's staff write their own. Clauses are chosen for households of a
border commune and say nothing that a family cannot do; each topic is one that the commune documents name. The
notice says what Law 91/2025/QH15 asks for before the first field: who, what, why, how long, rights, contact.
"""

COMMUNE = "Xã Nà Mây"

CLAUSES_TITLE = "Cam kết chung tay giữ gìn an ninh, trật tự ở khu dân cư"
CLAUSES = (
    "Chấp hành pháp luật của Nhà nước và quy ước của thôn; người trong nhà nhắc nhở nhau cùng thực hiện.",
    "Không sản xuất, mua bán, vận chuyển, tàng trữ, sử dụng trái phép pháo, vũ khí, vật liệu nổ; "
    "nếu trong nhà còn thì tự nguyện giao nộp cho Công an xã.",
    "Phòng cháy trong nhà: dùng điện, bếp và nơi thờ cúng cẩn thận; để xăng dầu, rơm rạ xa lửa; "
    "giữ lối ra thông thoáng; chuẩn bị dụng cụ chữa cháy theo điều kiện của gia đình.",
    "Đã uống rượu, bia thì không lái xe; đi xe máy đội mũ bảo hiểm; "
    "không giao xe cho người chưa đủ tuổi hoặc chưa có giấy phép lái xe.",
    "Không qua lại biên giới trái phép, không tiếp tay hay che giấu việc đó; cùng giữ gìn đường biên, "
    "cột mốc; thấy việc bất thường thì báo Đồn Biên phòng hoặc Công an xã.",
    "Không tham gia và không che giấu ma túy, đánh bạc, lừa đảo; cảnh giác với cuộc gọi, tin nhắn lạ "
    "đòi tiền hoặc mã xác thực.",
    "Có mâu thuẫn thì bàn bạc, hòa giải trong gia đình, dòng họ và tổ hòa giải của thôn; không dùng bạo lực.",
    "Tham gia tổ tự quản, tổ liên gia an toàn phòng cháy và Ngày hội Toàn dân bảo vệ an ninh Tổ quốc ở thôn "
    "theo điều kiện của gia đình.",
)

NOTICE_TITLE = "Thông báo về dữ liệu cá nhân"
NOTICE = (
    "Ai ghi: Ủy ban nhân dân xã Nà Mây, do Công an xã giúp việc. Người đến nhà là người được xã phân công.",
    "Ghi gì: họ tên chủ hộ, số nhà hoặc ngõ nếu có, những lần đến thăm; khi ký thì ghi họ tên và vai trò của "
    "người ký, ngày ký, cách ký, và nét chữ ký nếu ký trên điện thoại.",
    "Không ghi: số căn cước, ngày sinh, số điện thoại, dân tộc, tôn giáo, vị trí, chuyện riêng của gia đình. "
    "Không chụp ảnh người và giấy tờ, không lấy vân tay.",
    "Để làm gì: biết nhà nào đã được thăm và đã ký, báo cáo bằng con số. "
    "Không chấm điểm, không xếp hạng, không nêu tên hộ chưa ký.",
    "Ai xem: chỉ người được xã phân công. Ra ngoài xã chỉ có con số. Không bán, không chuyển ra nước ngoài.",
    "Giữ bao lâu: họ tên và chữ ký được xóa chậm nhất sáu tháng sau báo cáo tổng kết năm; "
    "chỉ giữ lại con số.",
    "Quyền của gia đình: ký là tự nguyện, chưa ký cũng không phải nêu lý do. Có thể xem, sửa, rút cam kết "
    "hoặc yêu cầu xóa bất cứ lúc nào; xã trả lời trong hai ngày làm việc.",
    "Liên hệ: Công an xã Nà Mây, tại trụ sở Ủy ban nhân dân xã, trong giờ làm việc.",
)
